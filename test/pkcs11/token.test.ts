/** A token through its child process, with SoftHSM2: keys, log-ins, crashes and hangs. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createToken, probeToken, type Token, type TokenOptions } from '../../src/pkcs11/token.ts'
import { TokenError } from '../../src/pkcs11/token-error.ts'
import { childProcesses, noSoftHsm, pin, softHsm, withoutPkcs11js } from './soft-hsm.ts'

const options = noSoftHsm === undefined ? {} : { skip: noSoftHsm }
const aad = Buffer.from('aad')
const plaintext = Buffer.from('plaintext')

function openedToken(t: TestContext, more: Partial<TokenOptions> = {}): Token {
  const { library, environment, makeToken } = softHsm(t)
  makeToken('one')
  makeToken('two')
  const readPin = async () => Buffer.from(pin)
  const token = createToken({ place: { library, label: 'one' }, readPin, environment, ...more })
  t.after(() => token.close())
  return token
}

/** The id of the one child process. */
function onlyChild(): number {
  const [child, ...more] = childProcesses()
  assert.ok(child !== undefined && more.length === 0)
  return child
}

const says = (code: string) => (error: unknown) => {
  assert.ok(error instanceof TokenError, String(error))
  assert.equal(error.code, code)
  assert.ok(!error.message.includes('\n') && !error.message.includes(pin))
  return true
}

test(
  'a key made in a token encrypts and decrypts there, and never leaves it',
  options,
  async (t) => {
    const token = openedToken(t)
    await token.generateKey({ label: 'k', id: 'abcd' })
    assert.deepEqual(await token.findKeys({ label: 'k' }), [
      { id: 'abcd', label: 'k', isSafe: true },
    ])
    const sealed = await token.encrypt('abcd', aad, plaintext)
    assert.equal(sealed.length, 12 + plaintext.length + 16)
    assert.deepEqual(Buffer.from(await token.decrypt('abcd', aad, sealed)), plaintext)
    await assert.rejects(token.decrypt('abcd', Buffer.from('other'), sealed), TokenError)
    await assert.rejects(token.decrypt('abcd', aad, sealed.subarray(0, 20)), TokenError)
  },
)

test('a key that was destroyed is not found, and is not used', options, async (t) => {
  const token = openedToken(t)
  await token.generateKey({ label: 'k', id: 'abcd' })
  await token.encrypt('abcd', aad, plaintext)
  await token.destroyKey('abcd')
  assert.deepEqual(await token.findKeys({ id: 'abcd' }), [])
  await assert.rejects(token.encrypt('abcd', aad, plaintext), says('CKR_KEY_HANDLE_INVALID'))
})

test('more calls than there are sessions take turns', options, async (t) => {
  const token = openedToken(t)
  await token.generateKey({ label: 'k', id: 'abcd' })
  const all = Array.from({ length: 40 }, async (_, n) => {
    const sealed = await token.encrypt('abcd', aad, Buffer.from(`${n}`))
    return Buffer.from(await token.decrypt('abcd', aad, sealed)).toString()
  })
  assert.deepEqual(
    await Promise.all(all),
    Array.from({ length: 40 }, (_, n) => `${n}`),
  )
})

test('calls beyond the bound are refused at once', options, async (t) => {
  const token = openedToken(t, { waitingMax: 2 })
  const calls = await Promise.allSettled(Array.from({ length: 4 }, () => token.random(8)))
  assert.deepEqual(
    calls.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
  )
  await assert.rejects(Promise.reject((calls[3] as PromiseRejectedResult).reason), says('BUSY'))
})

test('the child process has no variable of the environment but those given', options, async (t) => {
  const token = openedToken(t)
  await token.facts()
  const child = onlyChild()
  const names = readFileSync(`/proc/${child}/environ`, 'utf8').split('\0').filter(Boolean)
  const given = names
    .map((each) => each.split('=')[0])
    .filter((name) => !name?.startsWith('NODE_CH'))
  assert.deepEqual(given, ['SOFTHSM2_CONF'])
})

test('a wrong PIN is tried once, however often the token is used', options, async (t) => {
  let reads = 0
  const readPin = async () => {
    reads += 1
    return Buffer.from('wrong')
  }
  const token = openedToken(t, { readPin })
  for (let tries = 0; tries < 3; tries += 1) {
    await assert.rejects(token.random(8), says('CKR_PIN_INCORRECT'))
  }
  assert.equal(reads, 1)
})

test('after the PIN was changed, only the new one logs in', options, async (t) => {
  const { library, environment, makeToken } = softHsm(t)
  makeToken('one')
  const place = { library, label: 'one' }
  let known = pin
  const readPin = async () => Buffer.from(known)
  const token = createToken({ place, environment, readPin })
  t.after(() => token.close())
  await token.setPin(Buffer.from('another horse'))
  token.close()
  const late = createToken({ place, environment, readPin })
  t.after(() => late.close())
  await assert.rejects(late.random(8), says('CKR_PIN_INCORRECT'))
  late.close()
  known = 'another horse'
  const again = createToken({ place, environment, readPin })
  t.after(() => again.close())
  assert.equal((await again.random(8)).length, 8)
})

test('a token that is not there, and a library that is none, are named', options, async (t) => {
  const { library } = softHsm(t)
  const absent = openedToken(t, { place: { library, label: 'three' } })
  await assert.rejects(absent.facts(), says('CKR_TOKEN_NOT_PRESENT'))
  const both = openedToken(t, { place: { library } })
  await assert.rejects(both.facts(), says('AMBIGUOUS'))
  const none = openedToken(t, { place: { library: '/etc/hostname', label: 'one' } })
  await assert.rejects(none.facts(), says('NO_LIBRARY'))
})

test(
  'a call that was under way when the child process died is answered by the next one',
  options,
  async (t) => {
    const token = openedToken(t)
    await token.generateKey({ label: 'k', id: 'abcd' })
    const child = onlyChild()
    process.kill(child, 'SIGSTOP')
    const call = token.encrypt('abcd', aad, plaintext)
    process.kill(child, 'SIGKILL')
    assert.deepEqual(Buffer.from(await token.decrypt('abcd', aad, await call)), plaintext)
    assert.notEqual(childProcesses()[0], child)
  },
)

test(
  'a child process that hangs is killed in time, and the next call works',
  options,
  async (t) => {
    const token = openedToken(t, { callMsMax: 2000 })
    await token.random(8)
    const child = onlyChild()
    process.kill(child, 'SIGSTOP')
    await assert.rejects(token.random(8), says('TIMEOUT'))
    assert.equal((await token.random(8)).length, 8)
    assert.ok(!childProcesses().includes(child))
  },
)

test('a closed token is refused, and its child process is gone', options, async (t) => {
  const token = openedToken(t)
  await token.random(8)
  const child = onlyChild()
  token.close()
  await assert.rejects(token.random(8), says('CLOSED'))
  for (let tries = 0; childProcesses().includes(child); tries += 1) {
    assert.ok(tries < 200, 'the child process is still there')
    await delay(25)
  }
})

test('without the package pkcs11js, a token says what to install', async (t) => {
  const { library, environment } = withoutPkcs11js
  const place = { library, label: 'one' }
  const token = createToken({ place, environment, readPin: async () => Buffer.from(pin) })
  t.after(() => token.close())
  for (const call of [() => token.random(8), () => probeToken(place, { environment })]) {
    await assert.rejects(call, {
      code: 'NOT_INSTALLED',
      message:
        'PKCS #11 needs the package pkcs11js, compiled: run `npm run build:pkcs11` ' +
        '(it needs a C++ compiler, make and Python)',
    })
  }
})
