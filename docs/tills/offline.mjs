// A till without a network: `node offline.mjs jwks.json status.jwt quill-cinema < scanned`.
import { ECDH, createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
const CLAIMS = [2, 3, 4, 6, 8, 65535, -65537];

function must(holds, why) {
  if (!holds) throw new Error(why);
}

function unbase45(text) {
  const raw = [];
  for (let at = 0; at < text.length; at += 3) {
    const [a, b, c = 0] = [...text.slice(at, at + 3)].map((digit) => DIGITS.indexOf(digit));
    const [number, isPair] = [a + 45 * b + 2025 * c, at + 2 < text.length];
    must(Math.min(a, b, c) >= 0 && number < (isPair ? 65536 : 256), 'no base45');
    raw.push(...(isPair ? [number >> 8, number & 255] : [number]));
  }
  return Buffer.from(raw);
}

const unbase64 = (text) => Buffer.from(text, 'base64url');

// Read CBOR as passes have it: what is spelt otherwise than the shortest way, or is in none, throws.
function exact(raw) {
  let at = 0;
  const take = (size) => {
    must(at + size <= raw.length, 'cut');
    return raw.subarray(at, at += size);
  };
  const next = () => {
    const [first] = take(1);
    const [sort, low] = [first >> 5, first & 31];
    if (sort === 7) must(low === 20 || low === 21, 'no part of a pass'); // false, true
    must(low < 27 && sort !== 6, 'no part of a pass'); // 27: longer than a pass; 6: tags
    const size = low < 24 ? 0 : 1 << (low - 24);
    const number = size ? take(size).readUIntBE(0, size) : low;
    must(!size || number >= (size === 1 ? 24 : 2 ** (size * 4)), 'spelt otherwise');
    const found = [number, -1 - number, null, null, [], new Map(), null, low === 21][sort];
    if (sort === 2) return take(number);
    if (sort === 3) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(take(number));
    if (sort === 4) while (found.length < number) found.push(next());
    for (let before = Buffer.alloc(0); sort === 5 && found.size < number;) {
      const [start, label] = [at, next()];
      const spelt = raw.subarray(start, at); // the shorter label comes first, and none twice
      must((spelt.length - before.length || Buffer.compare(spelt, before)) > 0, 'spelt otherwise');
      found.set(label, next());
      before = spelt;
    }
    return found;
  };
  const found = next();
  must(at === raw.length, 'more than it says');
  return found;
}

// Write a byte string of CBOR.
function bytes(raw) {
  const size = raw.length;
  const head = size < 24 ? [0x40 + size] : size < 256 ? [0x58, size] : [0x59, size >> 8, size & 255];
  return Buffer.concat([Buffer.from(head), raw]);
}

function check(jwk, said, signature) {
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' };
  must(verify('sha256', said, key, signature), 'not signed by them');
}

function keyOf(keys, starts, purpose) {
  const isNamed = (one) => unbase64(one.kid).subarray(0, starts.length).equals(starts);
  const found = keys.find((one) => one.purpose === purpose && isNamed(one));
  must(found, 'an unknown key');
  return found;
}

function keyAt(compressed) {
  const point = ECDH.convertKey(compressed, 'prime256v1', undefined, undefined, 'uncompressed');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((one) => one.toString('base64url'));
  return { kty: 'EC', crv: 'P-256', x, y };
}

// Return what a pass says that the hub gave for this partner and its phone shows now.
export function read(scanned, keys, partner, now) {
  must(scanned.startsWith('GWP1:') && scanned.length <= 2048, 'no pass');
  const raw = unbase45(scanned.slice(5));
  const [cwt, step, shown] = [raw.subarray(0, -68), raw.subarray(-68, -64), raw.subarray(-64)];
  must(cwt[0] === 0xd2, 'another envelope'); // a tag: COSE_Sign1
  const [protectedBytes, open, payload, signature, ...more] = exact(cwt.subarray(1));
  const [header, said] = [exact(protectedBytes), exact(payload)];
  must(open instanceof Map && open.size === 0 && more.length === 0, 'another envelope');
  const isKnown = header.get(1) === -7 && header.get(16) === 'application/tc-pass+cwt';
  must(isKnown && header.size === 3 && header.get(4).length === 8, 'another header');
  const named = Buffer.from('\x84\x6aSignature1', 'latin1');
  const signed = Buffer.concat([named, bytes(protectedBytes), bytes(Buffer.alloc(0)), bytes(payload)]);
  check(keyOf(keys, header.get(4), 'pass'), signed, signature);
  must([...said.keys()].every((one) => CLAIMS.includes(one)), 'it says more than a till knows');
  const device = said.get(8).get(1);
  const [x, odd] = [device.get(-2), device.get(-3)];
  const isPoint = device.get(1) === 2 && device.get(-1) === 1 && typeof odd === 'boolean';
  must(isPoint && device.size === 4, 'another sort of key');
  const digest = createHash('sha256').update(cwt).digest();
  check(keyAt(Buffer.concat([Buffer.from([odd ? 3 : 2]), x])), Buffer.concat([digest, step]), shown);
  must(said.get(3) === partner, 'for another partner');
  const [ends, began] = [said.get(4), said.get(6)];
  must(Number.isInteger(ends) && Number.isInteger(began), 'at no time');
  must(began - 60 <= now && now < ends + 60, 'not at this time');
  must(Math.abs(Math.floor(now / 30) - step.readUInt32BE()) <= 1, 'not shown now: is it a photo?');
  must(typeof said.get(-65537).get(1) === 'string', 'no tier');
  return said;
}

// Return what a status list says of a place: 0 where the card counts.
export function status(token, keys, uri, place, now) {
  const [head, body, signature, ...more] = token.split('.');
  const [header, said] = [head, body].map((part) => JSON.parse(unbase64(part)));
  const isList = header.alg === 'ES256' && header.typ === 'statuslist+jwt';
  must(isList && more.length === 0, 'no status list');
  const key = keyOf(keys, unbase64(header.kid), 'status');
  check(key, Buffer.from(`${head}.${body}`), unbase64(signature));
  must(typeof uri === 'string' && said.sub === uri, 'another list');
  must(said.iat - 60 <= now && now < said.exp + 60, 'out of date');
  const { bits, lst } = said.status_list;
  const packed = unbase64(lst);
  const { buffer, engine } = inflateSync(packed, { maxOutputLength: 1 << 18, info: true });
  must([1, 2, 4, 8].includes(bits) && engine.bytesWritten === packed.length, 'no list');
  must(Number.isInteger(place) && place >= 0 && place * bits < buffer.length * 8, 'no such place');
  return (buffer[Math.floor(place * bits / 8)] >> (place * bits % 8)) & ((1 << bits) - 1);
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const [jwks, list, partner, at] = process.argv.slice(2);
    const known = JSON.parse(readFileSync(jwks, 'utf8')).keys;
    const now = at ? Number(at) : Date.now() / 1000; // another time, to try it
    let scanned = '';
    for await (scanned of createInterface({ input: process.stdin })) break;
    process.stdin.destroy(); // the scanner may stay open
    const said = read(scanned.trim(), known, partner, now);
    const place = said.get(65535).get('status_list');
    const found = status(readFileSync(list, 'utf8'), known, place.get('uri'), place.get('idx'), now);
    must(found === 0, 'it does not count');
    console.log(`YES, tier ${said.get(-65537).get(1)}`);
  } catch (wrong) { // whatever it is, this is no good pass
    console.error(`NO: ${wrong.message}`);
    process.exitCode = 1;
  }
}
