// An OAuth 2.0 authorization server that others wrote (oidc-provider), on loopback at the port given.
// Its clients come on standard input as one JSON list.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const clients = JSON.parse(readFileSync(0, 'utf8'));
const server = createServer();
const port = Number(process.argv[2]);
server.listen(port, '127.0.0.1', () => {
  const address = `http://127.0.0.1:${port}`;
  const provider = new Provider(address, {
    clients: clients.map((client) => ({
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      ...client,
    })),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
    },
    scopes: ['slots.read', 'slots.write'],
    ttl: { ClientCredentials: 600 },
  });
  // What a token opens: a resource that only tokens in force may read.
  const handle = provider.callback();
  server.on('request', async (request, response) => {
    if (request.url !== '/slots') return handle(request, response);
    const token = await provider.ClientCredentials.find((request.headers.authorization ?? '').replace('Bearer ', ''));
    response.writeHead(token ? 200 : 401, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(token ? { client: token.clientId, scope: token.scope ?? '' } : {}));
  });
});
