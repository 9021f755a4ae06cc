/** The seal by a key in an HSM, which is SoftHSM2 here: away and back, another one, a wrong PIN. @module */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { createToken } from '../../src/pkcs11/token.ts'
import { sealOf } from '../../src/seals/choose.ts'
import { openAlone, SealRefused, SealStopped, SealUnavailable } from '../../src/seals/seal.ts'
import { readHeader } from '../../src/seals/sealed-record.ts'
import { parseSeal, sealText } from '../../src/seals/setting.ts'
import { realRandom } from '../crypto/fixed.ts'
import { advance } from '../compat/test-clock.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { noSoftHsm, pin, softHsm, type SoftHsm } from '../pkcs11/soft-hsm.ts'
import { temporaryFolder } from '../store/engines.ts'
import { attemptsOnChanged, refusal, rootKey, sealed } from './sealed.ts'

const options = noSoftHsm === undefined ? {} : { skip: noSoftHsm }

interface Hsm extends SoftHsm {
  readonly pinFile: string
  readonly uri: string
}

function hsm(t: TestContext): Hsm {
  const soft = softHsm(t)
  soft.makeToken('trent')
  process.env['SOFTHSM2_CONF'] = soft.environment['SOFTHSM2_CONF']
  const pinFile = join(temporaryFolder(t), 'pin')
  writeFileSync(pinFile, `${pin}\n`, { mode: 0o600 })
  const uri = `pkcs11:token=trent;object=root%20key?module-path=${soft.library}&pin-source=file:${pinFile}`
  return { ...soft, pinFile, uri }
}

const environment = { pkcs11Environment: ['SOFTHSM2_CONF'] }
const sealBy = (uri: string) => sealOf(parseSeal(uri, environment), realRandom)

function tokenOf({ library, environment: variables }: Hsm, label = 'trent') {
  const readPin = async () => Buffer.from(pin)
  return createToken({ place: { library, label }, readPin, environment: variables })
}

test(
  'a root key that a key in an HSM sealed opens with it, for this deployment only',
  options,
  async (t) => {
    const { uri } = hsm(t)
    const { record } = await sealed(sealBy(uri))
    const root = await openAlone(sealBy(uri), record, 'deployment')
    assert.ok(root.equals(createSecretKey(rootKey)))
    // SoftHSM2 says only CKR_GENERAL_ERROR of a tag that does not match.
    await assert.rejects(openAlone(sealBy(uri), record, 'another'), SealUnavailable)
    assert.equal(sealText(parseSeal(uri, environment)), uri)
  },
)

test('the key in the HSM is made once, and cannot leave it', options, async (t) => {
  const found = hsm(t)
  await sealed(sealBy(found.uri))
  await sealed(sealBy(found.uri))
  const token = tokenOf(found)
  const keys = await token.findKeys({ label: 'root key' })
  token.close()
  assert.deepEqual(
    keys.map(({ isSafe }) => isSafe),
    [true],
  )
})

test('a record with any byte changed does not open', options, async (t) => {
  const { uri } = hsm(t)
  const { record } = await sealed(sealBy(uri))
  const { wrapped } = readHeader(record, 'pkcs11')
  const start = Buffer.from(record).indexOf(String(wrapped))
  const some = (await attemptsOnChanged(record, async (changed) => changed)) as Uint8Array[]
  for (const [index, changed] of some.entries()) {
    const isWrapped = index >= start && index < start + String(wrapped).length
    if (index % 11 !== 0 && index < record.length - 2) continue
    const outcome = await (async () => openAlone(sealBy(uri), changed, 'deployment'))().catch(
      (error: unknown) => error,
    )
    // SoftHSM2 says only CKR_GENERAL_ERROR of a wrapped key that was changed.
    const expected = isWrapped ? [SealRefused, SealUnavailable] : [SealRefused]
    assert.ok(
      expected.some((kind) => outcome instanceof kind),
      `byte ${index}: ${String(outcome)}`,
    )
  }
  assert.ok(await openAlone(sealBy(uri), record, 'deployment'))
})

test(
  'another token of the same name is refused, and says which one is needed',
  options,
  async (t) => {
    const { uri, clear, makeToken } = hsm(t)
    const { record } = await sealed(sealBy(uri))
    clear()
    makeToken('trent')
    await assert.rejects(
      openAlone(sealBy(uri), record, 'deployment'),
      refusal(/^token "trent" \(serial number \w+\) does not have the key .* serial number \w+$/),
    )
  },
)

test('an HSM that is away can come back', options, async (t) => {
  const { uri, unplug } = hsm(t)
  const { record } = await sealed(sealBy(uri))
  const plugIn = unplug()
  await assert.rejects(openAlone(sealBy(uri), record, 'deployment'), (error) => {
    assert.ok(error instanceof SealUnavailable)
    assert.match(error.message, /^the HSM cannot be used: .* \(CKR_\w+\)$/)
    return true
  })
  plugIn()
  assert.ok(await openAlone(sealBy(uri), record, 'deployment'))
})

test('a PIN that the HSM refuses stops the seal', options, async (t) => {
  const { uri, pinFile } = hsm(t)
  const { record } = await sealed(sealBy(uri))
  writeFileSync(pinFile, 'wrong')
  await assert.rejects(openAlone(sealBy(uri), record, 'deployment'), (error) => {
    assert.ok(error instanceof SealStopped)
    assert.match(error.message, /PIN of .* \(CKR_PIN_INCORRECT\), and more attempts could lock it/)
    return true
  })
})

test('a PIN file that others can read, or that is missing, is refused', options, async (t) => {
  const { uri, pinFile } = hsm(t)
  chmodSync(pinFile, 0o640)
  await assert.rejects(sealed(sealBy(uri)), refusal(/^PIN file .* is open to other users/))
  const elsewhere = uri.replace(pinFile, `${pinFile}-none`)
  await assert.rejects(sealed(sealBy(elsewhere)), refusal(/^PIN file .* is missing$/))
})

test(
  'a file of the folder of systemd’s credentials may be readable by its group',
  options,
  async (t) => {
    if (process.geteuid?.() !== 0) return t.skip('only root can make a file of root')
    const { uri, pinFile } = hsm(t)
    chmodSync(pinFile, 0o440)
    process.env['CREDENTIALS_DIRECTORY'] = join(pinFile, '..')
    t.after(() => delete process.env['CREDENTIALS_DIRECTORY'])
    assert.ok((await sealed(sealBy(uri))).record)
  },
)

for (const [wrong, words] of [
  [
    'token=a;object=b?module-path=/l&pin-source=file:/p&pin-value=1234',
    /PIN is never in a setting/,
  ],
  ['object=b?module-path=/l&pin-source=file:/p', /names its token/],
  ['token=a?module-path=/l&pin-source=file:/p', /names its key/],
  ['token=a;object=b?module-path=l&pin-source=file:/p', /absolute path of a PKCS #11 library/],
  ['token=a;object=b?module-path=/l', /pin-source=/],
  ['token=a;token=b;object=b?module-path=/l&pin-source=/p', /one token=/],
  ['token=%zz;object=b?module-path=/l&pin-source=/p', /not percent-encoded/],
  ['token=a;object=b;type=cert?module-path=/l&pin-source=/p', /has token, serial/],
  ['token=a;object=b;slot-id=x?module-path=/l&pin-source=/p', /whole number/],
  [`token=${'a'.repeat(3000)}`, /not that long/],
] as const) {
  test(`TRENT_SEAL is not pkcs11:${wrong.slice(0, 70)}`, () => {
    assert.throws(() => parseSeal(`pkcs11:${wrong}`), refusal(words))
  })
}

async function serverBy(t: TestContext, uri: string, directory?: string): Promise<TestServer> {
  const environmentOf = { TRENT_PKCS11_ENVIRONMENT: 'SOFTHSM2_CONF', TRENT_TEST_API: 'on' }
  const settings = { TRENT_SEAL: uri, ...environmentOf }
  const server = await startTestServer(settings, directory === undefined ? {} : { directory })
  t.after(() => server.stop())
  return server
}

async function statusWith(server: TestServer, words: RegExp): Promise<unknown> {
  for (let tries = 0; tries < 200; tries += 1) {
    const status = await callOperator(server.directory, 'GetStatus')
    if (words.test(JSON.stringify(status))) return status
    await delay(50)
  }
  throw new Error('the status never said so')
}

test(
  'a server sealed by an HSM starts without people, waits for it, and keeps every key',
  options,
  async (t) => {
    const { uri, pinFile, unplug } = hsm(t)
    const first = await serverBy(t, uri)
    await statusWith(first, /"kind":"pkcs11","initialized":false/)
    await callOperator(first.directory, 'Initialize')
    await first.server.ready
    const { KeyMetadata } = await first.client().send(new CreateKeyCommand({}))
    const input = { KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('hello') }
    const { CiphertextBlob } = await first.client().send(new EncryptCommand(input))
    const { shares = [] } = (await callOperator(first.directory, 'BeginRekey', {
      recovery: true,
      shares: 2,
      threshold: 2,
    })) as { readonly shares?: readonly string[] }
    for (const secret of shares) await callOperator(first.directory, 'ContinueRekey', { secret })
    await first.stop('keep')

    const plugIn = unplug()
    const second = await serverBy(t, uri, first.directory)
    await statusWith(second, /"sealed":true.*the HSM cannot be used/)
    plugIn()
    await second.server.ready
    const { Plaintext } = await second.client().send(new DecryptCommand({ CiphertextBlob }))
    assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello')
    await second.stop('keep')

    writeFileSync(pinFile, 'wrong')
    const third = await serverBy(t, uri, first.directory)
    await statusWith(third, /"sealed":true.*"opensWith":"recovery".*CKR_PIN_INCORRECT/)
    for (const secret of shares) await callOperator(third.directory, 'Unseal', { secret })
    await third.server.ready
    assert.ok((await third.client().send(new DecryptCommand({ CiphertextBlob }))).Plaintext)
    // People opened it. Whether the next start needs them again is known at once, and again once the PIN is right.
    await statusWith(third, /"sealed":false.*"doesNotOpen":\{"reason":"[^"]*CKR_PIN_INCORRECT/)
    await advance(third.url, '1h')
    writeFileSync(pinFile, pin)
    await advance(third.url, '1m')
    await statusWith(
      third,
      /"sealed":false,"seal":\{"kind":"pkcs11","opensAlone":true,"recovery":true,"gen/,
    )
  },
)

test(
  'a server whose PIN is wrong stays sealed, and says so, even without a recovery seal',
  options,
  async (t) => {
    const { uri, pinFile } = hsm(t)
    const first = await serverBy(t, uri)
    await callOperator(first.directory, 'Initialize')
    await first.server.ready
    await first.stop('keep')
    writeFileSync(pinFile, 'wrong')
    const second = await serverBy(t, uri, first.directory)
    await statusWith(second, /"sealed":true.*CKR_PIN_INCORRECT/)
    // It does not try again: the HSM would count each attempt.
    writeFileSync(pinFile, pin)
    await delay(2500)
    await statusWith(second, /"sealed":true.*CKR_PIN_INCORRECT/)
    // Strangers may reach the port for unsealing: the reason is for operators.
    await assert.rejects(
      callOperator(second.directory, 'Unseal', { secret: 'x' }),
      /it has no recovery seal; `trent status` says why it does not open/,
    )
  },
)
