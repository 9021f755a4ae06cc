/** The page on seals, its lines as written, with a server for each seal. @module */
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { askedFor } from '../../src/cli/secret-input.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { pageOf } from '../pages.ts'
import { noSoftHsm, pin, softHsm } from '../pkcs11/soft-hsm.ts'
import { noSealOf, testedSeal } from '../seals/every-seal.ts'
import { alice, own } from '../server/unseal-port.ts'
import { eventually } from './node-process.ts'
import { ready, temporaryFolder } from './serve-process.ts'
import { openTerminal, type Terminal } from './terminal.ts'

const unit = 'a line of a unit, and systemd is not at work here'
const page = pageOf('docs/operations/seals.md', {
  'head -c 32 /dev/urandom | systemd-creds encrypt --name=seal.key - /etc/trent/seal.cred':
    'it needs systemd and root',
  '# in the unit': unit,
  'LoadCredentialEncrypted=seal.key:/etc/trent/seal.cred': unit,
  'Environment=TRENT_SEAL=file:%d/seal.key': unit,
  'LoadCredentialEncrypted=hsm-pin:/etc/trent/hsm-pin.cred': unit,
  'Environment="TRENT_SEAL=pkcs11:token=trent;object=root-key?module-path=/usr/lib/libhsm.so&pin-source=file:%d/hsm-pin"':
    unit,
  'Restart=always': 'a line of the unit: unit.test.ts looks for it',
  'npm run build:pkcs11': '`npm test` does it, and other tests use the result at this moment',
  'apt-get install tpm2-tools': 'it changes the machine, as root',
  'usermod --append --groups tss trent': 'it changes the machine, as root',
})
const blocks = {
  file: page.take('install -m 600 -o trent -g trent /dev/null /etc/trent/seal.key'),
  kms: page.take('export TRENT_SEAL=kms:'),
  pkcs11: page.take('install -m 600 -o trent -g trent /dev/null /etc/trent/hsm-pin'),
  tpm2: page.take('apt-get install tpm2-tools'),
  tpmValue: page.take('install -m 600 -o trent -g trent /dev/null /etc/trent/tpm-auth'),
  passphrase: page.take('TRENT_SEAL=passphrase'),
  shamir: page.take('TRENT_SEAL=shamir'),
  share: page.take('trent-share:'),
  transcript: page.take('$ trent unseal'),
  port: page.take('TRENT_UNSEAL_LISTEN='),
  otherMachine: page.take('trent unseal --url'),
  rekey: page.take('trent rekey --seal shamir'),
  rotate: page.take('trent rotate-root'),
}

test('each line of the page is run here, or it says why not', () => {
  assert.deepEqual(page.left(), [])
})

const shareText = /trent-share:1:[0-9a-f]{8}:\d:3:[0-9a-f]+…?:[0-9a-f]{8}/g
const sharesIn = (printed: string): readonly string[] => printed.match(shareText) ?? []

/** Each holder gives their share, as `trent rekey` or `trent unseal` does it. */
async function giveAll(
  { ask }: Terminal,
  operation: 'ContinueRekey' | 'Unseal',
  secrets: readonly string[],
): Promise<void> {
  for (const secret of secrets) await ask(operation, { secret })
}

/** After `trent init`: the recovery seal is in force once its five holders have proved their shares. */
async function recovers(terminal: Terminal, printed: string): Promise<void> {
  await ready(terminal.server())
  const shares = sharesIn(printed)
  assert.equal(shares.length, 5, printed)
  await giveAll(terminal, 'ContinueRekey', shares)
  assert.equal((await terminal.ask('GetStatus')).seal?.recovery, true)
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}

test('a key file, another seal and a new root key', async (t) => {
  const folder = temporaryFolder(t)
  const terminal = openTerminal(t, folder)
  const { type, refused, ask } = terminal
  await type(blocks.file)
  await ready(terminal.server())
  const file = join(folder, 'etc/trent/seal.key')
  assert.deepEqual([modeOf(file), statSync(file).size], [0o600, 32])
  await recovers(terminal, await type('trent init'))

  const [rotate = '', prove = '', status = '', retire = '', ...more] = blocks.rotate
  assert.deepEqual(more, [])
  const rotated = await type(rotate)
  assert.match(rotated, /the former recovery seal is void/)
  const [first = '', ...others] = sharesIn(rotated)
  assert.match(await type(prove, { 'trent rekey': first }), /1 of 5 shares are given/)
  await giveAll(terminal, 'ContinueRekey', others)
  await eventually(240_000, async () => {
    const { seal } = await ask('GetStatus')
    return seal?.former?.state === 'rewrapped'
  })
  assert.match(await type(status), /^ {2}former:\n(?: {4}.*\n)* {4}state: rewrapped$/m)
  assert.match(await refused(retire), /sessions may be under a former root key until/)
  assert.match(await type(`${retire} --end-sessions`), /^1 former root keys are ended/)

  const begun = await type(blocks.rekey)
  const [last = '', ...before] = sharesIn(begun).toReversed()
  assert.equal(before.length, 4, begun)
  await giveAll(terminal, 'ContinueRekey', before)
  assert.match(await type('trent rekey', { 'trent rekey': last }), /set TRENT_SEAL=shamir$/m)
})

test('a key of a KMS', async (t) => {
  const { setting, settings, environment } = await testedSeal(t, 'kms')
  const [line = ''] = blocks.kms
  const terminal = openTerminal(t, temporaryFolder(t), {
    settings: { ...environment, ...settings },
    stands: { [line.replace('export TRENT_SEAL=', '')]: setting },
  })
  await recovers(terminal, await terminal.type(blocks.kms))
})

test('a key in an HSM', { skip: noSoftHsm ?? false }, async (t) => {
  const { library, environment, makeToken } = softHsm(t)
  makeToken('trent')
  const terminal = openTerminal(t, temporaryFolder(t), {
    settings: { ...environment, TRENT_PKCS11_ENVIRONMENT: 'SOFTHSM2_CONF' },
    stands: { '/usr/lib/softhsm/libsofthsm2.so': library },
  })
  const [file = '', ...lines] = blocks.pkcs11
  await terminal.type(file)
  const path = terminal.here('/etc/trent/hsm-pin')
  assert.equal(modeOf(path), 0o600)
  writeFileSync(path, pin)
  await recovers(terminal, await terminal.type(lines))
})

test('the TPM of the machine', { skip: noSealOf('tpm2') ?? false }, async (t) => {
  const { settings, environment } = await testedSeal(t, 'tpm2')
  const { PATH: _, ...variables } = environment
  const terminal = openTerminal(t, temporaryFolder(t), { settings: { ...variables, ...settings } })
  await recovers(terminal, await terminal.type(blocks.tpm2))
  await terminal.type(blocks.tpmValue)
  const path = '/etc/trent/tpm-auth'
  assert.equal(modeOf(terminal.here(path)), 0o600)
  assert.match(readFileSync(terminal.here(path), 'utf8'), /^[0-9a-f]{32}$/)
  const moved = await terminal.type(`trent rekey --seal 'tpm2:pcrs=7;auth-source=file:${path}'`)
  assert.match(moved, /the new seal \(tpm2\) is in force/)
})

test('a passphrase', async (t) => {
  const terminal = openTerminal(t, temporaryFolder(t))
  const passphrase = 'six words that nobody has guessed'
  const secrets = { 'trent init': passphrase, 'trent unseal': passphrase }
  const printed = await terminal.type(blocks.passphrase, secrets)
  assert.equal(printed, 'the deployment is initialised\nthe root key is open\n')
  await ready(terminal.server())
})

/** A terminal whose server has the port for unsealing, with the settings of the page in their file. */
async function withPort(t: TestContext): Promise<Terminal> {
  const folder = temporaryFolder(t)
  const port = await freeLoopbackPort()
  const terminal = openTerminal(t, folder, {
    settings: { TRENT_CONFIG: join(folder, 'etc/trent/trent.env') },
    stands: { '0.0.0.0:4600': `127.0.0.1:${port}`, 'trent.example:4600': `localhost:${port}` },
  })
  for (const [name, text] of [
    ['etc/trent/trent.env', blocks.port.map(terminal.here).join('\n')],
    ['etc/trent/unseal.pem', own.cert],
    ['etc/trent/unseal.key', own.key],
    ['etc/trent/holders.pem', alice.authority],
    ['ca.pem', own.authority],
    ['alice.pem', alice.cert],
    ['alice.key', alice.key],
  ] as const) {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  }
  return terminal
}

test('shares, also from another machine', async (t) => {
  const terminal = await withPort(t)
  const { type } = terminal
  const [serve = ''] = blocks.shamir
  const shares = sharesIn(await type(blocks.shamir))
  assert.equal(shares.length, 5)
  assert.equal(sharesIn(blocks.share.join()).length, 1)
  const [one = '', two = '', three = '', four = '', five = ''] = shares
  await type(blocks.otherMachine, { 'trent unseal': one })
  await giveAll(terminal, 'Unseal', [two, three, four, five])
  await ready(terminal.server())

  await type('trent seal')
  await terminal.server().ended
  await type(serve)
  await giveAll(terminal, 'Unseal', [one])
  const [, asked = '', told = ''] = blocks.transcript
  const [, set = ''] = /set ([0-9a-f]{8}) /.exec(asked) ?? []
  const progress = { asks: 'shares', set, given: [1], needed: 3 } as const
  assert.equal(asked, askedFor(progress).trimEnd())
  const printed = await type('trent unseal', { 'trent unseal': four })
  /** Other holders and another set. */
  const general = (text: string): string =>
    text.replaceAll(/by [^;]+/g, 'by somebody').replace(/set [0-9a-f]{8}/, 'set')
  assert.equal(general(printed.trimEnd()), general(told))
  await giveAll(terminal, 'Unseal', [three])
  await ready(terminal.server())
})
