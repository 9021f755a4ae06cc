import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonAnswer } from '../../src/wire/refusal.ts'
import type { RawRequest, RawResponse } from '../../src/wire/request.ts'
import {
  answerRoute,
  healthRoutes,
  matchRoute,
  ownNames,
  routeTable,
  type Route,
} from '../../src/wire/routes.ts'

const clock: Route = {
  path: '/_trent/test/clock',
  methods: ['GET', 'POST'],
  open: false,
  bodyBytesMax: 10,
  handle: async ({ body }) => jsonAnswer(200, { got: body.toString() }),
}
const own = ownNames('127.0.0.1', 4599)
const json = ['Content-Type', 'application/json']

function request(changes: Partial<RawRequest> = {}): RawRequest {
  return {
    listener: 'public',
    method: 'GET',
    target: clock.path,
    rawHeaders: ['Host', 'localhost:4599'],
    body: Buffer.alloc(0),
    remoteAddress: '127.0.0.1',
    secure: false,
    signal: new AbortController().signal,
    ...changes,
  }
}

async function statusFor(changes: Partial<RawRequest>, route = clock): Promise<number> {
  return (await answerRoute(route, own, request(changes))).status
}

function refused(changes: Partial<RawRequest>, table = routeTable([])): RawResponse | undefined {
  const match = matchRoute(table, request(changes))
  return match.to === 'refusal' ? match.response : undefined
}

test('a POST to the root is a call, whatever its query, on either listener', () => {
  for (const listener of ['public', 'operator'] as const) {
    assert.deepEqual(matchRoute(new Map(), request({ listener, method: 'POST', target: '/' })), {
      to: 'call',
    })
  }
  const presigned = request({ method: 'POST', target: '/?X-Amz-Signature=1' })
  assert.deepEqual(matchRoute(new Map(), presigned), { to: 'call' })
})

test('the root takes nothing but POST', () => {
  for (const method of ['GET', 'PUT', 'OPTIONS', 'HEAD']) {
    const response = refused({ method, target: '/' })
    assert.equal(response?.status, 405)
    assert.equal(response.headers['Allow'], 'POST')
  }
})

test('a form that is sent to a path which nobody serves is refused in XML', () => {
  const rawHeaders = ['Host', 'a', 'Content-Type', 'application/x-www-form-urlencoded']
  const response = refused({ method: 'POST', target: '/iam', rawHeaders })
  assert.equal(response?.status, 404)
  assert.match(String(response.body), /^<ErrorResponse>.*<Message>nothing is served at this path</)
})

test('what only callers on this machine may ask is refused to a client behind a proxy', async () => {
  assert.equal(await statusFor({}), 200)
  assert.equal(await statusFor({ remoteAddress: '203.0.113.7' }), 403)
  assert.equal(await statusFor({ remoteAddress: '203.0.113.7' }, { ...clock, open: true }), 200)
})

test('a route is found by its exact path', () => {
  const table = routeTable([clock])
  assert.deepEqual(matchRoute(table, request()), { to: 'route', route: clock })
  assert.deepEqual(matchRoute(table, request({ target: `${clock.path}?a` })), {
    to: 'route',
    route: clock,
  })
  for (const target of [
    `${clock.path}/`,
    '/_trent/test/CLOCK',
    '/_trent/test',
    '/_trent/test%2fclock',
  ]) {
    assert.equal(refused({ target }, table)?.status, 404)
  }
})

test('a route that is not registered is a 404, and so is one on the operator listener', () => {
  assert.equal(refused({})?.status, 404)
  assert.equal(refused({ method: 'POST' })?.status, 404)
  assert.equal(refused({ listener: 'operator' }, routeTable([clock]))?.status, 404)
})

test('an unknown path is said in JSON, to an SDK with a type, and never repeated', () => {
  const asked = refused({ target: '/<script>' })
  assert.deepEqual(
    [asked?.status, asked?.body],
    [404, '{"message":"nothing is served at this path"}'],
  )
  const posted = refused({ method: 'POST', target: '/kms' })
  assert.match(String(posted?.body), /^\{"__type":"UnknownOperationException"/)
})

test('a hostile path finds nothing', () => {
  for (const target of ['/constructor', '/__proto__', '/toString', '//', '/../', '/./']) {
    assert.equal(refused({ target }, routeTable([clock]))?.status, 404)
  }
})

test('a table takes each path once, and none that is AWS’s', () => {
  assert.throws(() => routeTable([clock, clock]), /there twice/)
  assert.throws(() => routeTable([{ ...clock, path: '/' }]), /not one/)
  assert.throws(() => routeTable([{ ...clock, path: 'x' }]), /not one/)
})

test('a Host of this machine is taken, any other is refused', async () => {
  const taken = [
    'localhost',
    'LOCALHOST:4599',
    '127.0.0.1',
    '127.0.0.1:4599',
    '[::1]:4599',
    '[::1]',
  ]
  for (const host of taken) assert.equal(await statusFor({ rawHeaders: ['Host', host] }), 200, host)
  const others = ['evil.example', 'localhost:80', 'localhost.evil.example', '127.0.0.1.nip.io', '']
  for (const host of others) {
    assert.equal(await statusFor({ rawHeaders: ['Host', host] }), 403, host)
  }
  assert.equal(await statusFor({ rawHeaders: [] }), 403)
  assert.equal(await statusFor({ rawHeaders: ['Host', 'localhost', 'host', 'localhost'] }), 403)
})

test('the address listened on is a Host as well', () => {
  assert.ok(ownNames('10.0.0.7', 80).hosts.has('10.0.0.7:80'))
  assert.ok(ownNames('fd00::7', 4599).hosts.has('[fd00::7]:4599'))
  assert.ok(ownNames('localhost', 80).origins.has('http://localhost'))
  assert.ok(!ownNames('localhost', 4599).origins.has('http://localhost'))
})

test('an Origin of this server is taken, any other is refused', async () => {
  const withOrigin = (...origins: string[]): Partial<RawRequest> => ({
    rawHeaders: ['Host', 'localhost:4599', ...origins.flatMap((origin) => ['Origin', origin])],
  })
  assert.equal(await statusFor(withOrigin('http://localhost:4599')), 200)
  assert.equal(await statusFor(withOrigin('http://127.0.0.1:4599')), 200)
  for (const origin of [
    'null',
    'http://evil.example',
    'http://localhost',
    'http://localhost:3000',
    'http://localhost:4599.evil.example',
    '',
  ]) {
    assert.equal(await statusFor(withOrigin(origin)), 403, origin)
  }
  assert.equal(await statusFor(withOrigin('http://localhost:4599', 'http://localhost:4599')), 403)
})

test('what a browser says came from another site is refused', async () => {
  const host = ['Host', 'localhost:4599']
  const site = (value: string): Partial<RawRequest> => ({
    rawHeaders: [...host, 'Sec-Fetch-Site', value],
  })
  assert.equal(await statusFor(site('same-origin')), 200)
  assert.equal(await statusFor(site('none')), 200)
  assert.equal(await statusFor(site('cross-site')), 403)
  assert.equal(await statusFor(site('same-site')), 403)
})

test('a POST takes application/json and nothing else', async () => {
  const host = ['Host', 'localhost']
  const typed = (...headers: string[]): Partial<RawRequest> => ({
    method: 'POST',
    body: Buffer.from('{}'),
    rawHeaders: [...host, ...headers],
  })
  assert.equal(await statusFor(typed(...json)), 200)
  assert.equal(await statusFor(typed('content-type', 'Application/JSON; charset=utf-8')), 200)
  for (const headers of [
    [],
    ['Content-Type', 'text/plain'],
    ['Content-Type', 'application/x-www-form-urlencoded'],
    ['Content-Type', 'text/plain; application/json'],
    [...json, ...json],
  ]) {
    assert.equal(await statusFor(typed(...headers)), 415)
  }
})

test('a route takes its methods and its size of body', async () => {
  const rawHeaders = ['Host', 'localhost', ...json]
  assert.equal(await statusFor({ method: 'HEAD' }), 200)
  assert.equal(await statusFor({ method: 'DELETE' }), 405)
  assert.equal(await statusFor({ method: 'POST', rawHeaders }, { ...clock, methods: ['GET'] }), 405)
  assert.equal(await statusFor({ method: 'POST', rawHeaders, body: Buffer.alloc(10) }), 200)
  assert.equal(await statusFor({ method: 'POST', rawHeaders, body: Buffer.alloc(11) }), 413)
})

test('health is for anyone, and says whether calls can be served', async () => {
  const state = { ready: false, reasons: ['the root key is sealed'] }
  const table = routeTable(healthRoutes(async () => state))
  const ask = async (target: string): Promise<RawResponse> => {
    const asked = request({ target, rawHeaders: ['Host', 'probe.internal', 'Origin', 'null'] })
    const match = matchRoute(table, asked)
    assert.ok(match.to === 'route')
    return answerRoute(match.route, own, asked)
  }
  assert.equal((await ask('/healthz')).status, 200)
  const sealed = await ask('/readyz')
  assert.equal(sealed.status, 503)
  assert.equal(sealed.body, '{"status":"not ready","reasons":["the root key is sealed"]}')
  state.ready = true
  const ready = await ask('/readyz')
  assert.deepEqual([ready.status, ready.body], [200, '{"status":"ready"}'])
})

test('a route that is `named` is open to other machines, under its names only', async () => {
  const names = ownNames('0.0.0.0', 4599, ['trent', '[fd00::7]'])
  const statusOf = async (...rawHeaders: string[]): Promise<number> => {
    const from = { remoteAddress: '172.17.0.1', rawHeaders }
    return (await answerRoute({ ...clock, open: 'named' }, names, request(from))).status
  }
  // Nobody knows the port under which a container is published.
  for (const host of ['localhost:49153', 'TRENT:4599', 'trent', '127.0.0.1:80', '[fd00::7]:1']) {
    assert.equal(await statusOf('Host', host), 200, host)
  }
  const foreign = [
    'evil.example',
    'trent.evil.example',
    'trent:',
    'trent:123456',
    'trent:80:80',
    '',
  ]
  for (const host of foreign) assert.equal(await statusOf('Host', host), 403, host)
  assert.equal(await statusOf(), 403)
  assert.equal(await statusOf('Host', 'trent', 'Host', 'trent'), 403)
  const host = ['Host', 'trent:4599'] as const
  assert.equal(await statusOf(...host, 'Origin', 'http://trent:4599'), 200)
  for (const origin of ['http://trent:80', 'http://trent', 'http://evil.example', 'null', '']) {
    assert.equal(await statusOf(...host, 'Origin', origin), 403, origin)
  }
  assert.equal(await statusOf(...host, 'Origin', 'http://trent:4599', 'Origin', 'null'), 403)
  assert.equal(await statusOf(...host, 'Sec-Fetch-Site', 'cross-site'), 403)
  assert.equal(await statusOf(...host, 'Sec-Fetch-Site', 'same-origin'), 200)
  // A route of this machine stays one.
  const closed = await answerRoute(clock, names, request({ remoteAddress: '172.17.0.1' }))
  assert.equal(closed.status, 403)
})
