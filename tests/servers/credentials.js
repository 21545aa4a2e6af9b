// A verifier of portable credentials that others wrote (@sd-jwt/sd-jwt-vc), with the checks it makes by itself.
// On standard input as JSON: `issuers` (by name, their public keys), `now`, `skew`, the `shown` (each `token`, `nonce`),
// and either `status`, the list that stands at every address, or `base`, where the hub's addresses are to be found,
// with `statusKeys`. On standard output as JSON: for each shown what it says, or `refused` and why.
import { readFileSync } from 'node:fs';
import { createHash, webcrypto } from 'node:crypto';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';

const given = JSON.parse(readFileSync(0, 'utf8'));
const curve = { name: 'ECDSA', namedCurve: 'P-256' };

async function holds(jwk, said, signature) {
  if (!jwk) throw new Error('no such key');
  const key = await webcrypto.subtle.importKey('jwk', jwk, curve, true, ['verify']);
  const raw = Buffer.from(signature, 'base64url');
  return webcrypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, raw, Buffer.from(said));
}

const part = (said, number) => JSON.parse(Buffer.from(said.split('.')[number], 'base64url').toString());
const named = (keys, said) => (keys ?? []).find((one) => one.kid === part(said, 0).kid && part(said, 0).alg === 'ES256');
const keysOf = (issuer) => (typeof issuer === 'string' ? given.issuers[issuer] : undefined);

const verifier = new SDJwtVcInstance({
  hasher: (said, sort) => createHash(sort.replace('-', '')).update(said).digest(),
  verifier: (said, signature) => holds(named(keysOf(part(said, 1).iss), said), said, signature),
  kbVerifier: (said, signature, claims) => holds(claims.cnf?.jwk, said, signature),
  statusVerifier: (said, signature) => holds(named(given.statusKeys, said), said, signature),
  statusListFetcher: async (address) => {
    if (given.status) return given.status;
    const at = new URL(new URL(address).pathname, given.base);
    return (await fetch(at, { headers: { accept: 'application/statuslist+jwt' } })).text();
  },
});

async function judged({ token, nonce }) {
  try {
    const found = await verifier.verify(token, {
      currentDate: given.now,
      skewSeconds: given.skew,
      keyBindingNonce: nonce,
    });
    return { said: found.payload };
  } catch (wrong) {
    return { refused: String(wrong.message) };
  }
}

const answers = [];
for (const one of given.shown) answers.push(await judged(one));
process.stdout.write(JSON.stringify(answers));
