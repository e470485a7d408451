// Uses MedplumClient of @medplum/core on the server whose base is the first argument.
import { MedplumClient, OperationOutcomeError } from '@medplum/core';
import { ids, links, name, outcome, statuses, step } from './report.mjs';

const base = process.argv[2];
name(base, 'base');
const { origin, pathname } = new URL(base);
let last; // the last answer
const calls = [];
const watched = async (url, init) => {
  calls.push(`${init.method} ${String(url).slice(base.length + 1)}`);
  last = await fetch(url, init);
  return last;
};
const settings = { baseUrl: origin, fhirUrlPath: pathname.slice(1), fetch: watched };
const client = new MedplumClient(settings);
const system = 'https://test.example/number';
const patient = (number, rest) => ({ resourceType: 'Patient', identifier: [{ system, value: number }], ...rest });

const told = (resource) => ({
  status: last.status,
  type: resource?.resourceType,
  version: resource?.meta?.versionId,
});
const found = (bundle) => ({ status: last.status, type: bundle.type, total: bundle.total, links: links(bundle), entries: bundle.entry?.length ?? 0 });

const refused = (err) => (err instanceof OperationOutcomeError ? { error: last.status, ...outcome(err.outcome) } : { failed: err.message });
const run = (what, fn) => step(what, fn, refused);

let one;
await run('createResource', async () => {
  one = await client.createResource(patient('1', { name: [{ family: '赵', given: ['一'] }], gender: 'male' }));
  name(one.id, 'patient');
  return { ...told(one), name: one.name[0].family };
});
for (const round of ['first', 'second']) {
  await run(`createResourceIfNoneExist, ${round}`, async () => {
    const made = await client.createResourceIfNoneExist(patient('2', { name: [{ family: '钱' }] }), `identifier=${system}|2`);
    if (round === 'first') name(made.id, 'second');
    return { ...told(made), id: made.id };
  });
}
await run('createResource without what R4 wants', () => client.createResource({ resourceType: 'Observation', status: 'final' }));

await run('readResource', async () => told(await client.readResource('Patient', one.id)));
await run('readResource of what is not there', () => client.readResource('Patient', 'nobody'));
await run('readReference', async () => told(await client.readReference({ reference: `Patient/${one.id}` })));
await run('readResource of what is known', async () => ({ got: (await client.readResource('Patient', one.id, { headers: { 'If-None-Match': 'W/"1"' } })) ?? null, status: last.status }));

await run('updateResource', async () => told(await client.updateResource({ ...one, birthDate: '1980-02-03' })));
await run('updateResource that changes nothing', async () => told(await client.updateResource({ ...one, birthDate: '1980-02-03' })));
await run('updateResource of the version that is', async () => told(await client.updateResource({ ...one, birthDate: '1980-02-04' }, { headers: { 'If-Match': 'W/"2"' } })));
await run('updateResource of the version that was', () => client.updateResource({ ...one, birthDate: '1980-02-05' }, { headers: { 'If-Match': 'W/"2"' } }));
await run('updateResource of what is not there', () => client.updateResource({ ...one, id: 'nobody' }));
await run('updateResource, nothing wanted back', async () => {
  const sent = { ...one, birthDate: '1980-02-06' };
  const result = await client.updateResource(sent, { headers: { Prefer: 'return=minimal' } });
  return { status: last.status, same: result.birthDate === sent.birthDate };
});
await run('upsertResource of what is there', async () => {
  const result = await client.upsertResource(patient('2', { name: [{ family: '孙' }] }), `identifier=${system}|2`);
  return { ...told(result), id: result.id };
});
await run('upsertResource of what is not there', async () => {
  const result = await client.upsertResource(patient('3', { name: [{ family: '李' }] }), { identifier: `${system}|3` });
  name(result.id, 'third');
  return { ...told(result), id: result.id };
});
await run('patchResource', async () => {
  const result = await client.patchResource('Patient', one.id, [{ op: 'add', path: '/active', value: true }]);
  return { ...told(result), active: result.active };
});
await run('patchResource whose test fails', () => client.patchResource('Patient', one.id, [{ op: 'test', path: '/active', value: false }]));

await run('readHistory', async () => found(await client.readHistory('Patient', one.id)));
await run('readHistory by pages', async () => found(await client.readHistory('Patient', one.id, { count: 2 })));
await run('readVersion', async () => told(await client.readVersion('Patient', one.id, '2')));
await run('readVersion of what is not there', () => client.readVersion('Patient', one.id, '9'));

await run('executeBatch of a transaction', async () => {
  const result = await client.executeBatch({
    resourceType: 'Bundle', type: 'transaction',
    entry: [1, 2, 3, 4, 5].map((n) => ({
      fullUrl: `urn:uuid:3f6e1c1e-8c0f-4c9b-9d4e-7f5f0a3b1c1${n}`,
      request: { method: 'POST', url: 'Observation' },
      resource: {
        resourceType: 'Observation', status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '15074-8' }] },
        subject: { reference: `Patient/${one.id}` }, effectiveDateTime: `2024-02-0${n}`,
        valueQuantity: { value: 5 + n / 10, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' },
      },
    })),
  });
  result.entry.forEach((e, i) => name(e.response.location.split('/')[1], `glucose ${i + 1}`));
  return { status: last.status, type: result.type, statuses: statuses(result), locations: result.entry.map((e) => e.response.location) };
});
await run('executeBatch', async () => {
  const result = await client.executeBatch({
    resourceType: 'Bundle', type: 'batch',
    entry: [
      { request: { method: 'GET', url: `Patient/${one.id}` } },
      { request: { method: 'GET', url: 'Patient/nobody' } },
      { request: { method: 'PUT', url: `Patient/${one.id}`, ifMatch: 'W/"1"' }, resource: one },
    ],
  });
  return { status: last.status, type: result.type, statuses: statuses(result), outcomes: result.entry.map((e) => outcome(e.response.outcome).outcome ?? '') };
});

const mine = `subject=Patient/${one.id}`;
await run('search', async () => {
  const bundle = await client.search('Observation', `${mine}&_sort=date`);
  return { ...found(bundle), ids: ids(bundle) };
});
await run('search that counts', async () => found(await client.search('Observation', { subject: `Patient/${one.id}`, _total: 'accurate', _count: 1 })));
await run('search by what is unknown', () => client.search('Observation', 'colour=red'));
await run('searchOne', async () => {
  const resource = await client.searchOne('Observation', `${mine}&_sort=-date`);
  return { ...told(resource), id: resource.id };
});
await run('searchOne of nothing', async () => ({ got: (await client.searchOne('Patient', 'identifier=none')) ?? null }));
await run('searchResources', async () => {
  const list = await client.searchResources('Patient', { identifier: `${system}|2,${system}|3`, _sort: 'family' });
  return { status: last.status, ids: list.map((p) => p.id), bundle: list.bundle?.type };
});
await run('searchResourcePages', async () => {
  const pages = [];
  for await (const page of client.searchResourcePages('Observation', `${mine}&_sort=date&_count=2`)) pages.push(page.map((o) => o.id));
  return { status: last.status, pages };
});
await run('valueSetExpand', async () => {
  const set = await client.valueSetExpand({ url: 'http://hl7.org/fhir/ValueSet/administrative-gender', filter: 'fem' });
  return { status: last.status, type: set.resourceType, codes: set.expansion.contains.map((c) => c.code) };
});
await run('readPatientEverything', async () => found(await client.readPatientEverything(one.id)));
await run('validateResource', async () => ({ status: last.status, ...outcome(await client.validateResource(patient('4', { gender: 'male' }))) }));
await run('validateResource of what is not valid', async () => {
  const result = await client.validateResource(patient('4', { gender: 'm' }));
  return { status: last.status, ...outcome(result) };
});

await run('many reads in one batch', async () => {
  const batching = new MedplumClient({ ...settings, autoBatchTime: 20 });
  const before = calls.length;
  const got = await Promise.allSettled([
    batching.readResource('Patient', one.id),
    batching.search('Observation', `${mine}&_sort=date&_count=2`),
    batching.readResource('Patient', 'nobody'),
  ]);
  return {
    calls: calls.slice(before), got: got.map((g) => g.value?.resourceType ?? outcome(g.reason?.outcome).outcome),
    pages: links(got[1].value),
  };
});
await run('one read is no batch', async () => {
  const batching = new MedplumClient({ ...settings, autoBatchTime: 20 });
  const before = calls.length;
  const got = await batching.readResource('Patient', one.id);
  return { calls: calls.slice(before), ...told(got) };
});

await run('createBinary', async () => {
  const binary = await client.createBinary({ data: '体温 36.5', contentType: 'text/plain', filename: 'note.txt', securityContext: { reference: `Patient/${one.id}` } });
  name(binary.id, 'binary');
  return { ...told(binary), media: binary.contentType, about: binary.securityContext?.reference, id: binary.id };
});
await run('createBinary of bytes', async () => {
  const bytes = new Uint8Array([0, 1, 2, 253, 254, 255]);
  const binary = await client.createBinary({ data: bytes, contentType: 'application/octet-stream' });
  const back = new Uint8Array(await (await client.download(`Binary/${binary.id}`)).arrayBuffer());
  return { status: last.status, bytes: [...back] };
});
await run('download', async () => {
  const binary = await client.createBinary({ data: '<p>血压 120/80</p>', contentType: 'text/html' });
  const blob = await client.download(`${base}/Binary/${binary.id}`);
  return { status: last.status, media: blob.type, text: await blob.text(), shown: last.headers.get('content-disposition') };
});
await run('createDocumentReference', async () => {
  const made = await client.createDocumentReference({ data: '出院小结', contentType: 'text/plain', filename: 'summary.txt', additionalFields: { subject: { reference: `Patient/${one.id}` } } });
  return { ...told(made), title: made.content[0].attachment.title, url: made.content[0].attachment.url !== undefined };
});

await run('deleteResource', async () => ({ got: (await client.deleteResource('Patient', one.id)) ?? null, status: last.status }));
await run('readResource of what was deleted', () => client.readResource('Patient', one.id));
await run('readHistory of what was deleted', async () => found(await client.readHistory('Patient', one.id)));
// what the client has and the server does not
await run('graphql', () => client.graphql('{ PatientList { id } }'));
await run('readPatientSummary', () => client.readPatientSummary(one.id));
