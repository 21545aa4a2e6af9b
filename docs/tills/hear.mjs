// Hears of changes: `SECRET=whsec_… node hear.mjs 8080`, behind what speaks https for it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const key = Buffer.from(process.env.SECRET.replace('whsec_', ''), 'base64');
const [port, now] = process.argv.slice(2).map(Number); // another time, to try it
const heard = new Set(); // the ids of four days: keep them where your data are, beside what came of each

function isGenuine(headers, body) {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const [id, seconds, signatures] = names.map((name) => headers[name] ?? '');
  const mac = createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64');
  const expected = Buffer.from(`v1,${mac}`);
  const given = signatures.split(' ').map((one) => Buffer.from(one));
  // While the secret is changed there are two signatures: one must hold.
  const isSigned = given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
  return isSigned && Math.abs((now ?? Date.now() / 1000) - Number(seconds)) <= 300;
}

createServer((request, response) => {
  let body = Buffer.alloc(0);
  request.on('data', (part) => {
    if (body.length <= 65536) body = Buffer.concat([body, part]);
  });
  request.on('end', () => {
    const isSo = isGenuine(request.headers, body);
    if (isSo && !heard.has(request.headers['webhook-id'])) {
      const { type, data } = JSON.parse(body);
      console.log(type, data.holder, ...data.areas);
      heard.add(request.headers['webhook-id']);
    }
    response.writeHead(isSo ? 204 : 401).end();
  });
}).listen(port, '127.0.0.1');
