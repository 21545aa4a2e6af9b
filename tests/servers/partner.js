// A partner on an OAuth client that others wrote (oauth4webapi): finds out what a hub wants, gets a token and asks.
// On standard input as JSON: the hub's `issuer`, the partner's `code`, its private `key` as a JWK, `query`.
// On standard output as JSON: what became of it.
import { readFileSync } from 'node:fs';
import * as oauth from 'oauth4webapi';

const { issuer, code, key, query } = JSON.parse(readFileSync(0, 'utf8'));
const plain = { [oauth.allowInsecureRequests]: true }; // loopback has no TLS
const at = new URL(issuer);
const hub = await oauth.processDiscoveryResponse(
  at,
  await oauth.discoveryRequest(at, { algorithm: 'oauth2', ...plain }),
);
const signing = await crypto.subtle.importKey('jwk', key, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
const client = { client_id: code };
const dpop = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));

async function token(scope) {
  const shown = oauth.PrivateKeyJwt({ key: signing, kid: key.kid });
  const answer = await oauth.clientCredentialsGrantRequest(hub, client, shown, scope ? { scope } : {}, {
    DPoP: dpop,
    ...plain,
  });
  return oauth.processClientCredentialsResponse(hub, client, answer);
}

async function asked(access, proved) {
  const headers = new Headers({ 'content-type': 'application/json', accept: 'application/graphql-response+json' });
  const body = JSON.stringify({ query });
  try {
    const answer = await oauth.protectedResourceRequest(access, 'POST', new URL('/graphql', issuer), headers, body, {
      DPoP: proved,
      ...plain,
    });
    return { status: answer.status, ...(await answer.json()) };
  } catch (wrong) {
    return { status: wrong.status, schemes: (wrong.cause ?? []).map((one) => one.scheme) };
  }
}

async function refused(scope) {
  try {
    await token(scope);
    return null;
  } catch (wrong) {
    return { status: wrong.status, error: wrong.error };
  }
}

const granted = await token();
const other = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
process.stdout.write(
  JSON.stringify({
    granted: { ...granted, access_token: undefined },
    asked: await asked(granted.access_token, dpop),
    withAnotherKey: await asked(granted.access_token, other),
    without: await asked(granted.access_token),
    tooMuch: await refused('disclose:guardian'),
  }),
);
