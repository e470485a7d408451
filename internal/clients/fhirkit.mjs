// Uses fhir-kit-client on the server whose base is the first argument.
import { CapabilityTool, Client } from 'fhir-kit-client';
import { ids, links, name, outcome, statuses, step } from './report.mjs';

const base = process.argv[2];
name(base, 'base');
const client = new Client({ baseUrl: base });
const system = 'https://test.example/number';
const patient = (number, rest) => ({ resourceType: 'Patient', identifier: [{ system, value: number }], ...rest });

// told is what an answer says of a resource.
function told(result) {
  const { response } = Client.httpFor(result);
  const header = (key) => response.headers.get(key) ?? undefined;
  return {
    status: response.status,
    type: result.resourceType,
    version: result.meta?.versionId,
    etag: header('etag'),
    location: header('location'),
    contentLocation: header('content-location'),
  };
}

const status = (result) => Client.httpFor(result).response.status;

// found is what an answer says of a search or history.
const found = (bundle) => ({ status: status(bundle), type: bundle.type, total: bundle.total, links: links(bundle), entries: bundle.entry?.length ?? 0 });

const refused = (err) => (err.response ? { error: err.response.status, ...outcome(err.response.data) } : { failed: err.message });
const run = (what, fn) => step(what, fn, refused);

await run('capabilityStatement', async () => {
  const statement = await client.capabilityStatement();
  const tool = new CapabilityTool(statement);
  return {
    status: status(statement),
    fhirVersion: statement.fhirVersion,
    interactions: tool.interactionsFor({ resourceType: 'Patient' }).sort(),
    server: ['transaction', 'batch', 'search-system', 'history-system'].filter((code) => tool.serverCan(code)),
    searches: ['identifier', 'name', '_lastUpdated'].filter((code) => tool.resourceSearch('Patient', code)),
  };
});
await run('smartAuthMetadata', async () => ({ known: Object.keys(await client.smartAuthMetadata()) }));

let one;
await run('create', async () => {
  one = await client.create({ resourceType: 'Patient', body: patient('1', { name: [{ text: '王小明', family: '王', given: ['小明'] }], gender: 'male' }) });
  name(one.id, 'patient');
  return { ...told(one), owner: one.meta.tag?.length };
});
await run('create, nothing wanted back', async () => {
  const result = await client.create({ resourceType: 'Patient', body: patient('2'), options: { headers: { Prefer: 'return=minimal' } } });
  name(Client.httpFor(result).response.headers.get('location').split('/').at(-3), 'second');
  return told(result);
});
for (const round of ['first', 'second']) {
  await run(`conditional create, ${round}`, async () => {
    const result = await client.create({ resourceType: 'Patient', body: patient('3'), options: { headers: { 'If-None-Exist': `identifier=${system}|3` } } });
    if (round === 'first') name(result.id, 'third');
    return told(result);
  });
}
await run('conditional create of several', () => client.create({ resourceType: 'Patient', body: patient('9'), options: { headers: { 'If-None-Exist': 'identifier=1,2' } } }));

await run('read', async () => {
  const result = await client.read({ resourceType: 'Patient', id: one.id });
  return { ...told(result), name: result.name[0].text };
});
await run('read what is known', () => client.read({ resourceType: 'Patient', id: one.id, options: { headers: { 'If-None-Match': 'W/"1"' } } }));
await run('read what is not there', () => client.read({ resourceType: 'Patient', id: 'nobody' }));
await run('read of a type that is none', () => client.read({ resourceType: 'Patent', id: 'nobody' }));

await run('update', async () => told(await client.update({ resourceType: 'Patient', id: one.id, body: { ...one, birthDate: '1990-01-01' } })));
await run('update that changes nothing', async () => told(await client.update({ resourceType: 'Patient', id: one.id, body: { ...one, birthDate: '1990-01-01' } })));
await run('update of the version that is', async () =>
  told(await client.update({ resourceType: 'Patient', id: one.id, body: { ...one, birthDate: '1990-01-02' }, options: { headers: { 'If-Match': 'W/"2"' } } })));
await run('update of the version that was', () =>
  client.update({ resourceType: 'Patient', id: one.id, body: { ...one, birthDate: '1990-01-03' }, options: { headers: { 'If-Match': 'W/"2"' } } }));
await run('update of what is not there', () => client.update({ resourceType: 'Patient', id: 'nobody', body: { ...one, id: 'nobody' } }));
await run('update with another id', () => client.update({ resourceType: 'Patient', id: one.id, body: { ...one, id: 'other' } }));
await run('update without what R4 wants', () => client.update({ resourceType: 'Patient', id: one.id, body: { ...one, gender: 'm' } }));
await run('vread', async () => {
  const result = await client.vread({ resourceType: 'Patient', id: one.id, version: '1' });
  return { ...told(result), born: result.birthDate ?? 'unknown' };
});
await run('vread of what is not there', () => client.vread({ resourceType: 'Patient', id: one.id, version: '9' }));

await run('patch', async () => {
  const result = await client.patch({ resourceType: 'Patient', id: one.id, jsonPatch: [{ op: 'replace', path: '/gender', value: 'female' }] });
  return { ...told(result), gender: result.gender };
});
await run('patch whose test fails', () =>
  client.patch({ resourceType: 'Patient', id: one.id, jsonPatch: [{ op: 'test', path: '/gender', value: 'male' }, { op: 'remove', path: '/gender' }] }));
await run('patch of the version that was', () =>
  client.patch({ resourceType: 'Patient', id: one.id, jsonPatch: [{ op: 'remove', path: '/gender' }], options: { headers: { 'If-Match': 'W/"1"' } } }));

for (const number of ['3', '4']) {
  await run(`conditional update of ${number}`, async () => {
    const result = await client.update({ resourceType: 'Patient', searchParams: { identifier: `${system}|${number}` }, body: patient(number, { active: true }) });
    if (number === '4') name(result.id, 'fourth');
    return told(result);
  });
}
await run('conditional update of several', () => client.update({ resourceType: 'Patient', searchParams: { identifier: '1,2' }, body: patient('1') }));
await run('conditional delete', async () => ({ status: status(await client.request(`Patient?identifier=${system}|4`, { method: 'DELETE' })) }));
await run('conditional delete of several', () => client.request('Patient?identifier=1,2', { method: 'DELETE' }));

const glucose = (tenths, subject, rest) => ({
  resourceType: 'Observation', status: 'final', subject,
  code: { coding: [{ system: 'http://loinc.org', code: '15074-8' }] },
  effectiveDateTime: `2024-01-0${tenths % 10}T08:00:00+08:00`,
  valueQuantity: { value: tenths / 10, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' }, ...rest,
});
await run('transaction', async () => {
  const whole = 'urn:uuid:3f6e1c1e-8c0f-4c9b-9d4e-7f5f0a3b1c11';
  const post = (resource, more) => ({ request: { method: 'POST', url: resource.resourceType, ...more }, resource });
  const result = await client.transaction({
    body: {
      resourceType: 'Bundle', type: 'transaction',
      entry: [
        { fullUrl: whole, ...post(patient('1'), { ifNoneExist: `identifier=${system}|1` }) },
        ...[61, 62, 63, 64, 65].map((tenths) => post(glucose(tenths, { reference: whole }))),
        { request: { method: 'GET', url: `Patient/${one.id}` } },
      ],
    },
  });
  const shown = await client.search({ resourceType: 'Observation', searchParams: { subject: `Patient/${one.id}`, _sort: 'date' } });
  shown.entry.forEach((e, i) => name(e.resource.id, `glucose ${i + 1}`));
  return { status: status(result), type: result.type, statuses: statuses(result), locations: result.entry.map((e) => e.response.location ?? ''), read: result.entry.at(-1).resource?.resourceType };
});
await run('transaction that fails', () =>
  client.transaction({
    body: {
      resourceType: 'Bundle', type: 'transaction',
      entry: [
        { request: { method: 'POST', url: 'Patient' }, resource: patient('5') },
        { request: { method: 'PUT', url: `Patient/${one.id}`, ifMatch: 'W/"1"' }, resource: { ...one } },
      ],
    },
  }));
await run('nothing of it is there', async () => found(await client.search({ resourceType: 'Patient', searchParams: { identifier: `${system}|5` } })));
await run('batch', async () => {
  const result = await client.batch({
    body: {
      resourceType: 'Bundle', type: 'batch',
      entry: [
        { request: { method: 'GET', url: `Patient/${one.id}` } },
        { request: { method: 'GET', url: 'Patient/nobody' } },
        { request: { method: 'GET', url: 'Patient?colour=red' } },
        { request: { method: 'GET', url: `Observation?subject=Patient/${one.id}&_count=2` } },
        { request: { method: 'POST', url: 'Patient' }, resource: patient('6', { gender: 'm' }) },
      ],
    },
  });
  return { status: status(result), type: result.type, statuses: statuses(result), outcomes: result.entry.map((e) => outcome(e.response.outcome).outcome ?? ''), pages: links(result.entry[3].resource) };
});

const mine = { subject: `Patient/${one.id}` };
await run('search', async () => {
  const bundle = await client.search({ resourceType: 'Observation', searchParams: { ...mine, code: 'http://loinc.org|15074-8', _sort: '-date' } });
  return { ...found(bundle), ids: ids(bundle), modes: [...new Set(bundle.entry.map((e) => e.search.mode))], urls: bundle.entry.map((e) => e.fullUrl).slice(0, 1) };
});
await run('search with several values', async () => found(await client.search({ resourceType: 'Patient', searchParams: { identifier: `${system}|1,${system}|2`, _summary: 'count' } })));
await run('search with a parameter twice', async () => found(await client.search({ resourceType: 'Observation', searchParams: { date: ['ge2024-01-02', 'lt2024-01-04'] } })));
await run('search with includes', async () => {
  const bundle = await client.search({ resourceType: 'Observation', searchParams: { ...mine, date: '2024-01-01', _include: 'Observation:subject' } });
  return { ...found(bundle), modes: bundle.entry.map((e) => e.search.mode) };
});
await run('search posted', async () => found(await client.search({ resourceType: 'Observation', searchParams: mine, options: { postSearch: true } })));
await run('search of nothing', async () => found(await client.search({ resourceType: 'Patient', searchParams: { identifier: 'none' } })));
await run('search in a compartment', async () =>
  found(await client.search({ resourceType: 'Observation', compartment: { resourceType: 'Patient', id: one.id }, searchParams: { date: 'gt2024-01-02' } })));
await run('search in a compartment, posted', async () =>
  found(await client.search({ resourceType: 'Observation', compartment: { resourceType: 'Patient', id: one.id }, searchParams: { date: 'gt2024-01-02' }, options: { postSearch: true } })));
await run('search of the system', async () => found(await client.search({ searchParams: { _type: 'Patient,Observation', _summary: 'count' } })));
await run('search of the system, posted', async () => found(await client.search({ searchParams: { _type: 'Observation', _id: 'none' }, options: { postSearch: true } })));
await run('search by what is unknown', () => client.search({ resourceType: 'Patient', searchParams: { colour: 'red' } }));
await run('search by a value that is none', () => client.search({ resourceType: 'Patient', searchParams: { birthdate: 'soon' } }));

let page;
const turn = async (bundle) => {
  page = bundle;
  return { ...found(bundle), ids: ids(bundle) };
};
await run('first page', async () => turn(await client.search({ resourceType: 'Observation', searchParams: { ...mine, _sort: 'date', _count: 2 } })));
await run('no page before the first', async () => ({ page: (await client.prevPage({ bundle: page })) ?? null }));
await run('second page', async () => turn(await client.nextPage({ bundle: page })));
await run('last page', async () => turn(await client.nextPage({ bundle: page })));
await run('no page behind the last', async () => ({ page: (await client.nextPage({ bundle: page })) ?? null }));
await run('back to the second page', async () => turn(await client.prevPage({ bundle: page })));
await run('forward again', async () => turn(await client.nextPage({ bundle: page })));
await run('back again', async () => turn(await client.prevPage({ bundle: page })));
await run('back to the first page', async () => turn(await client.prevPage({ bundle: page })));

await run('history of a resource', async () => {
  const bundle = await client.history({ resourceType: 'Patient', id: one.id });
  return { ...found(bundle), requests: bundle.entry.map((e) => `${e.request.method} ${e.request.url} ${e.response.status} ${e.response.etag}`) };
});
await run('history of a type', async () => found(await client.history({ resourceType: 'Patient' })));
await run('history of the system', async () => {
  const bundle = await client.history();
  return { status: status(bundle), type: bundle.type, some: bundle.entry.length > 9 };
});
await run('first page of a history', async () => {
  page = await client.request(`Patient/${one.id}/_history?_count=3`);
  return found(page);
});
await run('second page of a history', async () => turn(await client.nextPage({ bundle: page })));
await run('back to the first page of a history', async () => turn(await client.prevPage({ bundle: page })));

await run('$everything', async () => found(await client.operation({ name: 'everything', resourceType: 'Patient', id: one.id, method: 'GET', input: { _count: 3 } })));
await run('$everything, posted', async () => found(await client.operation({ name: '$everything', resourceType: 'Patient', id: one.id })));
await run('$lastn', async () => {
  const bundle = await client.operation({ name: 'lastn', resourceType: 'Observation', method: 'GET', input: { ...mine, code: '15074-8', max: 1 } });
  return { ...found(bundle), ids: ids(bundle) };
});
await run('$validate', async () => {
  const result = await client.operation({ name: 'validate', resourceType: 'Patient', input: patient('7', { gender: 'male' }) });
  return { status: status(result), ...outcome(result) };
});
await run('$validate of what is not valid', async () => {
  const result = await client.operation({
    name: 'validate', resourceType: 'Patient',
    input: { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: patient('7', { gender: 'm' }) }] },
  });
  return { status: status(result), ...outcome(result) };
});
await run('an operation that is none', () => client.operation({ name: 'guess', resourceType: 'Patient', id: one.id }));

await run('resolve a reference', async () => told(await client.resolve({ reference: `Patient/${one.id}` })));
await run('resolve an absolute reference', async () => told(await client.resolve({ reference: `${base}/Patient/${one.id}` })));
await run('resolve a reference to a version', async () => told(await client.resolve({ reference: `Patient/${one.id}/_history/2` })));
await run('resolve within a resource', async () => {
  const made = await client.create({
    resourceType: 'Observation',
    body: glucose(66, { reference: `Patient/${one.id}` }, { contained: [{ resourceType: 'Practitioner', id: 'who', name: [{ text: '李四' }] }], performer: [{ reference: '#who' }] }),
  });
  const who = await client.resolve({ reference: made.performer[0].reference, context: made });
  return { type: who.resourceType, name: who.name[0].text };
});
await run('resolve within a Bundle', async () => {
  const bundle = await client.search({ resourceType: 'Observation', searchParams: { ...mine, date: '2024-01-01', _include: 'Observation:subject' } });
  const who = await client.resolve({ reference: bundle.entry[0].resource.subject.reference, context: bundle });
  return { type: who.resourceType, id: who.id, asked: Client.httpFor(who).response !== undefined };
});
await run('resolve beyond a Bundle', async () => {
  const bundle = await client.search({ resourceType: 'Observation', searchParams: { ...mine, date: '2024-01-01' } });
  return told(await client.resolve({ reference: bundle.entry[0].resource.subject.reference, context: bundle }));
});

await run('delete of the version that was', () => client.delete({ resourceType: 'Patient', id: one.id, options: { headers: { 'If-Match': 'W/"1"' } } }));
await run('delete', async () => told(await client.delete({ resourceType: 'Patient', id: one.id })));
await run('delete again', async () => told(await client.delete({ resourceType: 'Patient', id: one.id })));
await run('read of what was deleted', () => client.read({ resourceType: 'Patient', id: one.id }));
await run('vread of a deletion', () => client.vread({ resourceType: 'Patient', id: one.id, version: '5' }));
await run('vread before a deletion', async () => told(await client.vread({ resourceType: 'Patient', id: one.id, version: '4' })));
await run('history of what was deleted', async () => {
  const bundle = await client.history({ resourceType: 'Patient', id: one.id });
  return { ...found(bundle), methods: bundle.entry.map((e) => e.request.method) };
});
await run('update of what was deleted', async () => told(await client.update({ resourceType: 'Patient', id: one.id, body: { ...one } })));
