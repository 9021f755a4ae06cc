/** Libraries that answer nonsense, or write into the pipe of their process: only that process ends. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { readAnswer, readError } from '../../src/pkcs11/token-answers.ts'
import type { TokenCall } from '../../src/pkcs11/token-calls.ts'
import { readMessages, writeMessage, type Message } from '../../src/pkcs11/token-wire.ts'
import { createToken } from '../../src/pkcs11/token.ts'
import { faultHsm, noFaultHsm } from './fault-hsm.ts'
import { pin } from './soft-hsm.ts'

const options = noFaultHsm === undefined ? {} : { skip: noFaultHsm }
const aad = Buffer.from('aad')
const plaintext = Buffer.from('plaintext')

test(
  'what a library writes or cuts off fails a call, and the next one works',
  options,
  async (t) => {
    const hsm = faultHsm(t)
    hsm.makeToken('kms')
    const { library, environment } = hsm
    const place = { library, label: 'kms' }
    const token = createToken({ place, environment, readPin: async () => Buffer.from(pin) })
    t.after(() => token.close())
    await token.generateKey({ label: 'k', id: 'abcd' })
    const sealed = await token.encrypt('abcd', aad, plaintext)
    const encrypt = () => token.encrypt('abcd', aad, plaintext)
    const decrypt = () => token.decrypt('abcd', aad, sealed)
    const cases = [
      ['C_Encrypt junk 40', encrypt],
      // More than any message may have.
      ['C_Decrypt junk 1000000', decrypt],
      ['C_GenerateRandom junk 40', () => token.random(8)],
      ['C_Encrypt short 1', encrypt],
      ['C_Encrypt short 10', encrypt],
      ['C_Decrypt short 1', decrypt],
    ] as const
    for (const [rule, call] of cases) {
      hsm.ask(rule)
      await assert.rejects(call, { code: 'NONSENSE' }, rule)
      hsm.ask()
      assert.deepEqual(Buffer.from(await decrypt()), plaintext, rule)
    }
  },
)

test('an answer is believed only if it is one to the call', () => {
  const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
  const facts = { label: 'kms', serial: '1', pinBytesMin: 4, pinBytesMax: 255 }
  const key = { id: 'abcd', label: 'k', isSafe: true }
  const good: readonly (readonly [TokenCall, unknown])[] = [
    ['open', facts],
    // A token that does not say how long its PINs are.
    ['open', { ...facts, pinBytesMax: 2 ** 64 }],
    ['probe', { isInitialized: false }],
    ['findKeys', []],
    ['findKeys', [key, key]],
  ]
  for (const [name, value] of good) {
    assert.deepEqual(readAnswer(name, 'json', text(value)), { value }, name)
  }
  assert.deepEqual(readAnswer('setPin', 'json', Buffer.alloc(0)), { value: undefined })
  assert.deepEqual(readAnswer('random', 'bytes', aad), { value: aad })
  const bad: readonly (readonly [TokenCall, unknown])[] = [
    ['open', null],
    ['open', [facts]],
    ['open', { ...facts, label: 7 }],
    ['open', { ...facts, pinBytesMin: '4' }],
    ['probe', { isInitialized: 'yes' }],
    ['findKeys', {}],
    ['findKeys', [null]],
    ['findKeys', [key, key, key]],
    ['findKeys', [{ ...key, isSafe: 1 }]],
    ['generateKey', null],
    ['encrypt', 'bytes'],
    ['random', null],
  ]
  for (const [name, value] of bad) {
    assert.equal(readAnswer(name, 'json', text(value)), undefined, name)
  }
  assert.equal(readAnswer('encrypt', 'json', Buffer.alloc(0)), undefined)
  assert.equal(readAnswer('generateKey', 'bytes', aad), undefined)
  assert.equal(readAnswer('setPin', 'json', Buffer.from('{')), undefined)
  assert.equal(readAnswer('setPin', 'call', Buffer.alloc(0)), undefined)
  assert.equal(readError(text({ code: 'CKR_PIN_LOCKED', message: 'a' }))?.code, 'CKR_PIN_LOCKED')
  for (const value of [null, {}, { code: 'A' }, { code: 'A', message: 'a'.repeat(2000) }]) {
    assert.equal(readError(text(value)), undefined)
  }
})

async function connected(t: TestContext): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const one = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [other] = (await once(server, 'connection')) as [Socket]
  t.after(() => {
    one.destroy()
    other.destroy()
    server.close()
  })
  return [one, other]
}

test('messages arrive in any pieces, and anything else ends the pipe', async (t) => {
  const [from, to] = await connected(t)
  const arrived: Message[] = []
  const { promise: isNonsense, resolve: nonsense } = Promise.withResolvers<void>()
  const { promise: isWhole, resolve: whole } = Promise.withResolvers<void>()
  readMessages(
    to,
    (message) => {
      if (arrived.push(message) === 3) whole()
    },
    nonsense,
  )
  writeMessage(from, { id: 1, form: 'bytes', content: Buffer.from('one') })
  writeMessage(from, { id: 2, form: 'json', content: Buffer.alloc(0) })
  // Byte by byte: 7 bytes follow, of which 4 are the id and 1 is the form.
  for (const byte of [0, 0, 0, 7, 0, 0, 0, 3, 3, 0x61, 0x62]) from.write(Buffer.of(byte))
  await isWhole
  assert.deepEqual(arrived, [
    { id: 1, form: 'bytes', content: Buffer.from('one') },
    { id: 2, form: 'json', content: Buffer.alloc(0) },
    { id: 3, form: 'error', content: Buffer.from('ab') },
  ])
  from.write(Buffer.from('00010006', 'hex'))
  await isNonsense
  assert.ok(to.destroyed)
  for (const head of ['00000004', '7fffffff', '000000050000000109']) {
    const [sender, receiver] = await connected(t)
    const { promise, resolve } = Promise.withResolvers<void>()
    readMessages(receiver, () => assert.fail('it is no message'), resolve)
    sender.write(Buffer.from(head, 'hex'))
    await promise
  }
})
