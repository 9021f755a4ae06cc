/** Keys of identity providers: kept, found again after a rotation, and kept through an outage. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { errors, exportJWK, jwtVerify } from 'jose'
import { DocumentFailed, type FetchDocument } from '../../src/authenticate/issuer-documents.ts'
import {
  createIssuerKeys,
  type Issuer,
  type IssuerKeys,
} from '../../src/authenticate/issuer-keys.ts'
import { newPair, type SigningPair } from './issuer.ts'

const issuer = { accountId: '111122223333', url: 'https://issuer.example/a', thumbprints: [] }
const minute = 60_000

function open(pairs: SigningPair[]) {
  const world = { now: 0, down: false, asked: [] as string[], errors: [] as unknown[] }
  const described: Record<string, unknown> = {
    issuer: issuer.url,
    jwks_uri: 'https://keys.example/k',
  }
  const fetchDocument: FetchDocument = async (url) => {
    world.asked.push(url)
    if (world.down) throw new DocumentFailed('down')
    if (url.endsWith('/.well-known/openid-configuration')) return described
    const keys = pairs.map(async ({ kid, publicKey }) => ({ ...(await exportJWK(publicKey)), kid }))
    return { keys: await Promise.all(keys) }
  }
  const keys = createIssuerKeys({
    fetchDocument,
    monotonic: () => world.now,
    onError: (error) => world.errors.push(error),
  })
  const find = async (kid: string) =>
    keys.of(issuer)({ alg: 'ES256', kid }, { payload: '', signature: '' })
  return { world, described, find }
}

test('keys are fetched once for many, and again when they are no longer fresh', async () => {
  const pair = newPair()
  const { world, find } = open([pair])
  await Promise.all(Array.from({ length: 20 }, () => find(pair.kid)))
  const once = [
    'https://issuer.example/a/.well-known/openid-configuration',
    'https://keys.example/k',
  ]
  assert.deepEqual(world.asked, once)
  world.now = 9 * minute
  await find(pair.kid)
  assert.deepEqual(world.asked, once)
  world.now = 10 * minute
  await find(pair.kid)
  assert.equal(world.asked.length, 4)
})

test('a key that is not known is asked for at once, and one that there is not every half minute', async () => {
  const pairs = [newPair()]
  const { world, find } = open(pairs)
  await find(pairs[0]?.kid ?? '')
  world.now = minute
  const next = newPair()
  pairs.push(next)
  await find(next.kid)
  assert.equal(world.asked.length, 4)
  for (let i = 0; i < 50; i += 1) await assert.rejects(find(`none-${i}`), /no applicable key/)
  assert.equal(world.asked.length, 4)
  world.now += minute / 2
  await assert.rejects(find('none'), /no applicable key/)
  assert.equal(world.asked.length, 6)
})

test('through an outage the keys that are known go on, for a day', async () => {
  const pair = newPair()
  const { world, find } = open([pair])
  await find(pair.kid)
  world.down = true
  world.now = 20 * minute
  for (let i = 0; i < 10; i += 1) await find(pair.kid)
  // Once, and then a pause: nobody waits for a provider that has just failed.
  assert.deepEqual([world.asked.length, world.errors.length], [3, 1])
  world.now += 5000
  await find(pair.kid)
  assert.equal(world.asked.length, 4)
  world.now = 24 * 60 * minute
  await assert.rejects(find(pair.kid), DocumentFailed)
  world.down = false
  world.now += minute
  await find(pair.kid)
})

test('what an issuer names is asked for in its name', async () => {
  const pair = newPair()
  const asked: (readonly [string, string | undefined])[] = []
  const { publicKey, kid } = pair
  const keys = createIssuerKeys({
    fetchDocument: async (url, _thumbprints, _signal, of) => {
      asked.push([url, of])
      return url.endsWith('-configuration')
        ? { issuer: issuer.url, jwks_uri: 'https://keys.example/k' }
        : { keys: [{ ...(await exportJWK(publicKey)), kid }] }
    },
    monotonic: () => 0,
    onError: (error) => {
      throw error
    },
  })
  await keys.of(issuer)({ alg: 'ES256', kid }, { payload: '', signature: '' })
  assert.deepEqual(asked, [
    [`${issuer.url}/.well-known/openid-configuration`, undefined],
    ['https://keys.example/k', issuer.url],
  ])
})

test('an issuer that describes another, or hides its keys, or has too many, has none', async () => {
  const pairs = [newPair()]
  for (const wrong of [
    { issuer: 'https://issuer.example/b' },
    { issuer: undefined },
    { jwks_uri: 7 },
    { jwks_uri: 'no url' },
  ]) {
    const { described, find } = open(pairs)
    Object.assign(described, wrong)
    await assert.rejects(find(pairs[0]?.kid ?? ''), DocumentFailed)
  }
  const many = Array.from({ length: 101 }, () => pairs[0] ?? newPair())
  await assert.rejects(open(many).find(pairs[0]?.kid ?? ''), DocumentFailed)
})

test('a published key that is malformed, weak or for another use is not there, and hides no other', async () => {
  const pair = newPair()
  const right = { ...(await exportJWK(pair.publicKey)), kid: pair.kid }
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const weak = { ...short.export({ format: 'jwk' }), kid: 'wrong' }
  const { x: _x, ...halved } = { ...right, kid: 'wrong' }
  for (const wrong of [
    weak,
    { kty: 'RSA', kid: 'wrong' },
    { kty: 'RSA', kid: 'wrong', n: 5, e: 'AQAB' },
    { kty: 'RSA', kid: 'wrong', n: '', e: '' },
    { kty: 'EC', kid: 'wrong', crv: 'P-256', x: 'AA', y: 'AA' },
    { kty: 'oct', kid: 'wrong', k: 'AAAA' },
    halved,
    { ...right, kid: 'wrong', use: 'enc' },
    { ...right, kid: 'wrong', key_ops: ['deriveKey'] },
    null,
  ]) {
    const keys = createIssuerKeys({
      fetchDocument: (url) =>
        Promise.resolve(
          url.endsWith('-configuration')
            ? { issuer: issuer.url, jwks_uri: 'https://keys.example/k' }
            : { keys: [wrong, { ...right, key_ops: ['sign', 'verify'] }] },
        ),
      monotonic: () => 0,
      onError: (error) => {
        throw error
      },
    })
    for (const alg of ['RS256', 'ES256']) {
      const header = Buffer.from(JSON.stringify({ alg, kid: 'wrong' })).toString('base64url')
      await assert.rejects(jwtVerify(`${header}.e30.AAAA`, keys.of(issuer)), errors.JOSEError)
    }
    await keys.of(issuer)({ alg: 'ES256', kid: pair.kid }, { payload: '', signature: '' })
  }
})

async function ask(keys: IssuerKeys, of: Issuer): Promise<void> {
  await keys.of(of)({ alg: 'ES256' }, { payload: '', signature: '' })
}

/** Answers when the question is given up, which is all that a provider can do to those who wait. */
const silent: FetchDocument = (_url, _thumbprints, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new DocumentFailed('it took too long')))
  })

test('a provider that describes itself slowly and gives no keys is waited for five seconds in all', async () => {
  const limits: number[] = []
  const signals: AbortSignal[] = []
  const limit = new AbortController()
  const keys = createIssuerKeys({
    fetchDocument: async (url, thumbprints, signal) => {
      signals.push(signal)
      if (url.endsWith('-configuration')) {
        return { issuer: issuer.url, jwks_uri: 'https://keys.example/k' }
      }
      setTimeout(() => limit.abort())
      return silent(url, thumbprints, signal)
    },
    monotonic: () => 0,
    timeLimit(ms) {
      limits.push(ms)
      return limit.signal
    },
    onError: () => undefined,
  })
  await assert.rejects(ask(keys, issuer), DocumentFailed)
  // One limit for both documents.
  assert.deepEqual(limits, [5000])
  assert.deepEqual(signals, [limit.signal, limit.signal])
})

test('who waits for slow providers is counted by account, and those of other accounts are asked', async () => {
  const asked: string[] = []
  let limit = new AbortController()
  const keys = createIssuerKeys({
    fetchDocument: (url, thumbprints, signal) => {
      asked.push(url)
      return silent(url, thumbprints, signal)
    },
    monotonic: () => 0,
    timeLimit: () => limit.signal,
    onError: () => undefined,
  })
  let refused = 0
  const wait = async (accountId: string, provider: number): Promise<void> => {
    const one = { accountId, url: `https://${accountId}.example/${provider}`, thumbprints: [] }
    await assert.rejects(ask(keys, one), DocumentFailed)
    refused += 1
  }
  const first = Array.from({ length: 300 }, (_, index) => wait('111122223333', index % 20))
  await setImmediate()
  assert.deepEqual([refused, asked.length], [44, 20])
  const second = wait('444455556666', 0)
  await setImmediate()
  assert.deepEqual([refused, asked.length], [44, 21])
  limit.abort()
  await Promise.all([...first, second])
  limit = new AbortController()
  // Nobody waits any more.
  const last = wait('111122223333', 50)
  await setImmediate()
  assert.deepEqual([refused, asked.length], [301, 22])
  limit.abort()
  await last
})
