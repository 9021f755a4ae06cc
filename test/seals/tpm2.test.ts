/** The seal by a TPM, which is swtpm here: another one, other PCRs, wrong values, away and back. @module */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sealOf } from '../../src/seals/choose.ts'
import {
  openAlone,
  SealRefused,
  SealStopped,
  SealUnavailable,
  type Seal,
} from '../../src/seals/seal.ts'
import { readHeader } from '../../src/seals/sealed-record.ts'
import { parseSeal, sealText } from '../../src/seals/setting.ts'
import { tpm2Seal } from '../../src/seals/tpm2.ts'
import { realRandom } from '../crypto/fixed.ts'
import { temporaryFolder } from '../store/engines.ts'
import { attemptsOnChanged, refusal, rootKey, sealed } from './sealed.ts'
import { foundTpm, leftIn, listenedTo, noSoftTpm, softTpm, type SoftTpm } from './soft-tpm.ts'

const options = noSoftTpm === undefined ? {} : { skip: noSoftTpm }

const sealBy = ({ tcti }: SoftTpm, text = 'tpm2'): Seal =>
  sealOf(parseSeal(text, { tpm2Tcti: tcti }), realRandom)

function authFile(t: TestContext, value = 'a-value'): string {
  const path = join(temporaryFolder(t), 'auth')
  writeFileSync(path, value, { mode: 0o600 })
  return path
}

const ofKind = (kind: new (message: string) => Error, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof kind, String(error))
  assert.match(error.message, words)
  assert.ok(!error.message.includes('\n'))
  return true
}

const foldersNow = (): readonly string[] =>
  readdirSync(process.env['RUNTIME_DIRECTORY'] ?? assert.fail())

for (const conditions of ['', 'pcrs=7', 'auth', 'pcrs=7,11;auth']) {
  const title = conditions === '' ? 'without conditions' : `with ${conditions}`
  test(
    `a root key that a TPM sealed ${title} opens with it, for this deployment only`,
    options,
    async (t) => {
      const tpm = await foundTpm(t)
      const rest = conditions.replace('auth', `auth-source=file:${authFile(t)}`)
      const text = rest === '' ? 'tpm2' : `tpm2:${rest}`
      const seal = sealBy(tpm, text)
      const { record } = await sealed(seal)
      const root = await openAlone(seal, record, 'deployment')
      assert.ok(root.equals(createSecretKey(rootKey)))
      await assert.rejects(openAlone(seal, record, 'another'), refusal(/damaged or was changed/))
      assert.equal(sealText(parseSeal(text)), text)
      assert.deepEqual(leftIn(tpm), [])
      assert.deepEqual(foldersNow(), [])
    },
  )
}

test('uses at one moment wait for one another', options, async (t) => {
  const tpm = await foundTpm(t)
  const seal = sealBy(tpm)
  const { record } = await sealed(seal)
  const opening = Array.from({ length: 3 }, () => openAlone(seal, record, 'deployment'))
  for (const root of await Promise.all(opening)) assert.equal(root.symmetricKeySize, 32)
  assert.deepEqual(leftIn(tpm), [])
})

test('who listens between the server and the TPM does not get the key', options, async (t) => {
  const tpm = await foundTpm(t)
  const wire = await listenedTo(t, tpm)
  const keys: Uint8Array[] = []
  const bytes = (size: number): Uint8Array => {
    const made = realRandom.bytes(size)
    keys.push(Uint8Array.from(made))
    return made
  }
  const key = { pcrs: [7], tcti: wire.tcti, authFile: authFile(t, 'an-authorization-value') }
  const seal = tpm2Seal(key, { ...realRandom, bytes })
  const { record } = await sealed(seal)
  assert.ok(await openAlone(seal, record, 'deployment'))
  const heard = wire.heard()
  const stored = Buffer.from(String(readHeader(record, 'tpm2')['private']), 'base64')
  assert.ok(heard.includes(stored.subarray(2)), 'the traffic was not recorded')
  const [sealKey = assert.fail()] = keys
  assert.equal(sealKey.length, 32)
  assert.ok(!heard.includes(sealKey) && !heard.includes(rootKey))
  assert.ok(!heard.includes('an-authorization-value'))
})

test('another TPM, and one that was cleared, are refused', options, async (t) => {
  const tpm = await foundTpm(t)
  const { record } = await sealed(sealBy(tpm))
  const another = /sealed by another TPM, or this TPM was cleared since/
  await assert.rejects(openAlone(sealBy(await softTpm(t)), record, 'deployment'), refusal(another))
  tpm.tpm2('clear')
  await assert.rejects(openAlone(sealBy(tpm), record, 'deployment'), refusal(another))
})

test('PCRs that changed are refused until they are as before', options, async (t) => {
  const tpm = await foundTpm(t)
  const seal = sealBy(tpm, 'tpm2:pcrs=7,11')
  const { record } = await sealed(seal)
  const { record: free } = await sealed(sealBy(tpm))
  tpm.tpm2('pcrextend', `11:sha256=${'0'.repeat(63)}1`)
  await assert.rejects(
    openAlone(seal, record, 'deployment'),
    refusal(/^PCRs 7, 11 of the TPM are not as they were .* other firmware or software$/),
  )
  assert.ok(await openAlone(sealBy(tpm), free, 'deployment'))
  assert.deepEqual(leftIn(tpm), [])
  await tpm.unplug()
  await tpm.plugIn()
  assert.ok(await openAlone(seal, record, 'deployment'))
})

test('a wrong value stops the seal, a locked TPM does not', options, async (t) => {
  const tpm = await foundTpm(t)
  const path = authFile(t)
  const seal = sealBy(tpm, `tpm2:auth-source=file:${path}`)
  const { record } = await sealed(seal)
  const { record: free } = await sealed(sealBy(tpm))
  writeFileSync(path, 'another')
  const wrong =
    /does not accept the authorization value of \S+, and locks after some attempts: correct/
  for (let tries = 0; tries < 2; tries += 1) {
    await assert.rejects(openAlone(seal, record, 'deployment'), ofKind(SealStopped, wrong))
  }
  writeFileSync(path, 'a-value')
  assert.ok(await openAlone(seal, record, 'deployment'))
  writeFileSync(path, 'another')
  await assert.rejects(openAlone(seal, record, 'deployment'), SealStopped)
  await assert.rejects(
    openAlone(seal, record, 'deployment'),
    ofKind(SealUnavailable, /locked after wrong authorization values: .* --clear-lockout`$/),
  )
  // Guesses do not shut out who needs no value.
  assert.ok(await openAlone(sealBy(tpm), free, 'deployment'))
  writeFileSync(path, 'a-value')
  tpm.tpm2('dictionarylockout', '--clear-lockout')
  assert.ok(await openAlone(seal, record, 'deployment'))
  assert.deepEqual(leftIn(tpm), [])
})

test(
  'a file of the value that others can read, that is too long or missing',
  options,
  async (t) => {
    const tpm = await foundTpm(t)
    const path = authFile(t)
    const seal = sealBy(tpm, `tpm2:auth-source=file:${path}`)
    chmodSync(path, 0o640)
    await assert.rejects(sealed(seal), refusal(/authorization value \S+ is open to other users/))
    chmodSync(path, 0o600)
    writeFileSync(path, 'x'.repeat(33))
    await assert.rejects(sealed(seal), refusal(/has 33 bytes, not 1 to 32/))
    for (const odd of ['a-value\n', 'a value', 'hex:00', 'file:-']) {
      writeFileSync(path, odd)
      await assert.rejects(sealed(seal), refusal(/holds letters, digits .* and no line break$/))
    }
    const missing = sealBy(tpm, `tpm2:auth-source=file:${path}-none`)
    await assert.rejects(sealed(missing), refusal(/is missing$/))
  },
)

test('a record with other conditions than the settings name is refused', options, async (t) => {
  const tpm = await foundTpm(t)
  const withPcrs = await sealed(sealBy(tpm, 'tpm2:pcrs=7'))
  const without = await sealed(sealBy(tpm))
  await assert.rejects(
    openAlone(sealBy(tpm), withPcrs.record, 'deployment'),
    refusal(/^the root key is sealed by tpm2:pcrs=7: set TRENT_SEAL to that, and move it with/),
  )
  for (const more of ['pcrs=7', `auth-source=file:${authFile(t)}`]) {
    await assert.rejects(
      openAlone(sealBy(tpm, `tpm2:${more}`), without.record, 'deployment'),
      refusal(/^the root key is sealed by tpm2: set TRENT_SEAL/),
    )
  }
})

test('a record with any byte changed is refused', options, async (t) => {
  const tpm = await foundTpm(t)
  const seal = sealBy(tpm)
  const { record } = await sealed(seal)
  const changed = (await attemptsOnChanged(record, async (each) => each)) as Uint8Array[]
  const some = changed.filter((_, index) => index % 23 === 0 || index > record.length - 2)
  for (const each of some) {
    await assert.rejects(async () => openAlone(seal, each, 'deployment'), SealRefused)
  }
  assert.ok(await openAlone(seal, record, 'deployment'))
  assert.deepEqual(leftIn(tpm), [])
})

test(
  'a TPM that is away can come back, and one that hangs is given up in time',
  options,
  async (t) => {
    const tpm = await foundTpm(t)
    const { record } = await sealed(sealBy(tpm))
    await tpm.unplug()
    const away = ofKind(SealUnavailable, /^the TPM at swtpm:\S+ cannot be used: /)
    await assert.rejects(openAlone(sealBy(tpm), record, 'deployment'), away)
    await assert.rejects(sealed(sealBy(tpm)), away)
    const none = tpm2Seal({ pcrs: [], tcti: 'device:/dev/no-tpm' }, realRandom)
    await assert.rejects(sealed(none), ofKind(SealUnavailable, /no-tpm: No such file or directory/))
    await tpm.plugIn()
    assert.ok(await openAlone(sealBy(tpm), record, 'deployment'))
    process.kill(tpm.pid(), 'SIGSTOP')
    const slow = tpm2Seal({ pcrs: [], tcti: tpm.tcti, callMsMax: 300 }, realRandom)
    await assert.rejects(
      openAlone(slow, record, 'deployment'),
      ofKind(SealUnavailable, /did not answer within 0.3 seconds/),
    )
    process.kill(tpm.pid(), 'SIGCONT')
    assert.ok(await openAlone(sealBy(tpm), record, 'deployment'))
    assert.deepEqual(foldersNow(), [])
  },
)

test('what a killed process left in memory and in the TPM is removed', options, async (t) => {
  const tpm = await foundTpm(t)
  const memory = process.env['RUNTIME_DIRECTORY'] ?? assert.fail()
  const { pid: dead } = spawnSync('true')
  const leave = (name: string): string => {
    const folder = join(memory, name)
    mkdirSync(folder)
    tpm.tpm2('startauthsession', '-S', join(folder, 'session'))
    return folder
  }
  leave(`trent-tpm2-${dead}-a`)
  // In a container, each start can have the same id.
  leave(`trent-tpm2-${process.pid}-b`)
  mkdirSync(join(memory, `trent-tpm2-${dead}-c`))
  const stay = [`trent-tpm2-${process.ppid}-d`, 'trent-tpm2-e']
  stay.forEach(leave)
  if (process.geteuid?.() === 0) {
    const name = `trent-tpm2-${dead}-f`
    chownSync(leave(name), 1, 1)
    stay.push(name)
  }
  assert.equal(leftIn(tpm).length, stay.length + 2)
  await sealed(sealBy(tpm))
  assert.deepEqual(foldersNow().toSorted(), stay.toSorted())
  assert.equal(leftIn(tpm).length, stay.length)

  const last = leave(`trent-tpm2-${dead}-g`)
  await tpm.unplug()
  await assert.rejects(sealed(sealBy(tpm)), SealUnavailable)
  assert.ok(existsSync(last), 'its session is still in the TPM')
  await tpm.plugIn()
  await sealed(sealBy(tpm))
  assert.deepEqual(foldersNow().toSorted(), stay.toSorted())
  for (const name of stay) rmSync(join(memory, name), { recursive: true })
})

test('a storage hierarchy with a password is refused', options, async (t) => {
  const tpm = await foundTpm(t)
  tpm.tpm2('changeauth', '-c', 'owner', 'password')
  await assert.rejects(sealed(sealBy(tpm)), refusal(/storage hierarchy of the TPM has a password/))
})

test('without tpm2-tools, the seal says what is missing', async (t) => {
  const before = process.env['PATH']
  process.env['PATH'] = temporaryFolder(t)
  t.after(() => {
    process.env['PATH'] = before
  })
  const seal = tpm2Seal({ pcrs: [] }, realRandom)
  await assert.rejects(
    sealed(seal),
    ofKind(SealUnavailable, /no program `tpm2`: install tpm2-tools/),
  )
})

for (const wrong of [
  'pcrs=',
  'pcrs=24',
  'pcrs=1,1',
  'pcrs=-1',
  'pcrs=1;pcrs=2',
  'auth-source=relative',
  'auth-source=file:relative',
  'auth=file:/x',
  'pcrs=1;',
  ';pcrs=1',
  'pcrs=1 -C o',
]) {
  test(`TRENT_SEAL is not tpm2:${wrong}`, () => {
    assert.throws(() => parseSeal(`tpm2:${wrong}`), refusal(/^a TPM is tpm2, then perhaps/))
  })
}
