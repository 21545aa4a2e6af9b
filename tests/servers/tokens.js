// A verifier of signed texts that others wrote (jose), which fetches the keys itself.
// On standard input as JSON: `keys`, where a hub publishes them, `now`, and the `tokens`: each `text`, its `typ`, and
// `issuer` and `audience` where it has them. On standard output as JSON: for each what it says, or why not.
import { readFileSync } from 'node:fs';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { keys, now, tokens } = JSON.parse(readFileSync(0, 'utf8'));
const published = createRemoteJWKSet(new URL(keys));
const answers = [];
for (const { text, typ, issuer, audience } of tokens) {
  const wanted = { typ, issuer, audience, currentDate: new Date(now * 1000), algorithms: ['ES256'] };
  try {
    const { payload, protectedHeader } = await jwtVerify(text, published, wanted);
    answers.push({ said: payload, kid: protectedHeader.kid });
  } catch (wrong) {
    answers.push({ refused: wrong.code ?? String(wrong) });
  }
}
process.stdout.write(JSON.stringify(answers));
