import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { argon2Sync, createPrivateKey } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pairSpecs } from '../../src/crypto/algorithms/key-forms.ts'
import { keySpecs } from '../../src/crypto/key-specs.ts'
import { createSlowLane } from '../../src/crypto/slow-lane.ts'
import type { KeySpec } from '../../src/model/key.ts'
import { callsFor } from '../../src/model/party.ts'

const signal = new AbortController().signal
const lane = createSlowLane({ queueMax: 32 })
const dying = new URL('./dying-worker.ts', import.meta.url)
const generate = async (spec: KeySpec, from = lane, until = signal): Promise<Uint8Array> => {
  const { privateKey } = await from.run('generate-key-pair', { spec }, until)
  return privateKey
}

after(async () => {
  await lane.close()
})

test('RSA_2048 comes back as PKCS#8, a new key each time', async () => {
  const [first, second] = await Promise.all([generate('RSA_2048'), generate('RSA_2048')])
  assert.notDeepEqual(first, second)
  const key = createPrivateKey({ key: Buffer.from(first), format: 'der', type: 'pkcs8' })
  assert.equal(key.asymmetricKeyType, 'rsa')
  assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048)
  assert.equal(key.asymmetricKeyDetails?.publicExponent, 65_537n)
})

test('each key spec with a pair gives a key of its kind', async () => {
  const kinds: Partial<Record<KeySpec, string>> = {
    ECC_NIST_P256: 'prime256v1',
    ECC_NIST_P384: 'secp384r1',
    ECC_NIST_P521: 'secp521r1',
    ECC_SECG_P256K1: 'secp256k1',
    ECC_NIST_EDWARDS25519: 'ed25519',
    ML_DSA_44: 'ml-dsa-44',
    ML_DSA_65: 'ml-dsa-65',
    ML_DSA_87: 'ml-dsa-87',
    ML_KEM_512: 'ml-kem-512',
    ML_KEM_768: 'ml-kem-768',
    ML_KEM_1024: 'ml-kem-1024',
  }
  const pairs = Object.entries(keySpecs).filter(([, row]) => row.material.encoding === 'pkcs8')
  assert.deepEqual(
    pairs.map(([spec]) => spec),
    pairSpecs,
  )
  assert.equal(pairs.length, Object.keys(kinds).length + 3) // and RSA's three sizes
  for (const [spec, kind] of Object.entries(kinds)) {
    const bytes = await generate(spec as KeySpec)
    const key = createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' })
    assert.equal(key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType, kind)
  }
})

test('Argon2id runs in the lane, and its passphrase is moved there', async () => {
  const cost = { memory: 64, passes: 2, parallelism: 1 }
  const salt = new Uint8Array(16).fill(2)
  const expected = argon2Sync('argon2id', {
    message: Buffer.from('passphrase'),
    nonce: Uint8Array.from(salt),
    tagLength: 32,
    ...cost,
  })
  const passphrase = new Uint8Array(Buffer.from('passphrase'))
  const tag = await lane.run('argon2id', { passphrase, salt, ...cost, tagBytes: 32 }, signal)
  assert.deepEqual(Buffer.from(tag), expected)
  assert.equal(passphrase.length, 0)
})

test('a task that cannot be done is an error, and the lane goes on', async () => {
  const unknown = 'RSA_1' as KeySpec
  await assert.rejects(generate(unknown), /slow task generate-key-pair: the key spec is not/)
  await assert.rejects(generate('__proto__' as KeySpec), /key spec is not of a key pair/)
  assert.ok((await generate('ECC_NIST_P256')).length > 0)
})

test('a full queue refuses with ThrottlingException, and serves those that wait', async () => {
  const small = createSlowLane({ queueMax: 2 })
  const accepted = [1, 2, 3].map(() => generate('ECC_NIST_P256', small))
  await assert.rejects(generate('ECC_NIST_P256', small), { code: 'ThrottlingException' })
  assert.equal((await Promise.all(accepted)).length, 3)
  assert.ok(await generate('ECC_NIST_P256', small))
  await small.close()
})

test('a flood of one account waits for itself, and refuses nobody else', async () => {
  const own = createSlowLane({ queueMax: 8 })
  const ended: string[] = []
  const call = (accountId: string, principalId: string, spec: KeySpec): Promise<unknown> => {
    const controller = new AbortController()
    callsFor(controller.signal, { accountId, principalId })
    return generate(spec, own, controller.signal).then(
      () => ended.push(accountId + principalId),
      (error: unknown) => {
        assert.equal((error as { readonly code: string }).code, 'ThrottlingException')
        ended.push(`${accountId}${principalId} refused`)
      },
    )
  }
  const flood = Array.from({ length: 20 }, () => call('a', 'u', 'RSA_2048'))
  const others = [call('b', 'u', 'ECC_NIST_P256'), call('a', 'v', 'ECC_NIST_P256')]
  await Promise.all([...flood, ...others])
  assert.equal(ended.filter((each) => each === 'au refused').length, 13)
  assert.equal(ended.filter((each) => each === 'au').length, 7)
  const served = ended.filter((each) => !each.endsWith('refused'))
  // One task of the flood was running when they came, and one more ran for each of theirs.
  assert.ok(served.indexOf('bu') <= 2, served.join())
  assert.ok(served.indexOf('av') <= 4, served.join())
  await own.close()
})

test('a cancelled call is let go at once, waiting or running, and the others are served', async () => {
  const own = createSlowLane({ queueMax: 2 })
  const [running, waiting] = [new AbortController(), new AbortController()]
  const first = generate('RSA_2048', own, running.signal)
  const second = generate('RSA_2048', own, waiting.signal)
  const third = generate('ECC_NIST_P256', own)
  waiting.abort()
  await assert.rejects(second, { name: 'AbortError' })
  // Its place in the queue is free again.
  const fourth = generate('ECC_NIST_P256', own)
  running.abort()
  await assert.rejects(first, { name: 'AbortError' })
  await assert.rejects(generate('RSA_2048', own, AbortSignal.abort()), { name: 'AbortError' })
  assert.ok((await third).length > 0)
  assert.ok((await fourth).length > 0)
  await own.close()
})

test('a thread that dies fails the task that ran, and the next has a new thread', async () => {
  const own = createSlowLane({ queueMax: 8, program: dying })
  const results = await Promise.allSettled([
    generate('RSA_2048', own),
    generate('RSA_4096', own),
    generate('RSA_3072', own),
  ])
  assert.deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  await assert.rejects(generate('RSA_4096', own), { code: 'KeyUnavailableException' })
  assert.equal(Buffer.from(await generate('RSA_2048', own)).toString(), 'RSA_2048')
  await own.close()
})

test('a program that cannot be loaded is KeyUnavailableException, not a hang', async () => {
  const program = new URL('./no-such-worker.ts', import.meta.url)
  const own = createSlowLane({ queueMax: 8, program })
  await assert.rejects(generate('RSA_2048', own), { code: 'KeyUnavailableException' })
  await own.close()
})

test('closing refuses what runs, waits and comes', async () => {
  const own = createSlowLane({ queueMax: 8 })
  const pending = [generate('RSA_4096', own), generate('RSA_4096', own)]
  const settled = Promise.allSettled(pending)
  await own.close()
  for (const result of await settled) {
    assert.equal(result.status, 'rejected')
    assert.equal((result.reason as { code: string }).code, 'KeyUnavailableException')
  }
  await assert.rejects(generate('RSA_2048', own), { code: 'KeyUnavailableException' })
})

test('a lane that was used and not closed keeps no process alive', () => {
  const program = fileURLToPath(new URL('./open-lane.ts', import.meta.url))
  const ended = spawnSync(process.execPath, [program], { timeout: 60_000, encoding: 'utf8' })
  assert.equal(ended.status, 0, ended.stderr)
  assert.equal(ended.stdout.trim(), 'true')
})

test(
  'a lane that stands back lowers its own thread alone',
  { skip: process.platform === 'linux' ? false : 'niceness is counted by process here' },
  async () => {
    const usual = getPriority()
    const niceness = Math.min(19, usual + 7)
    const own = createSlowLane({ queueMax: 1, niceness })
    await generate('ECC_NIST_P256', own)
    const nice = readdirSync('/proc/self/task').map((thread) => {
      const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
      // The 19th field; the 2nd is a name in parentheses, which may hold anything.
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
    })
    assert.equal(nice.filter((each) => each === niceness).length, 1)
    assert.equal(getPriority(), usual)
    await own.close()
  },
)
