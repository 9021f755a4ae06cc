/** The file with the secret of the console's client. @module */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readClientSecret, wrongClientSecrets } from '../../src/console/client-secret.ts'
import type { SignInProvider } from '../../src/console/setting.ts'

const directory = mkdtempSync(join(tmpdir(), 'trent-client-secret-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const at = (name: string): string => join(directory, name)

/** A file of its own each time: who may read it counts from the beginning. */
function written(name: string, content: string | Uint8Array, mode = 0o600): string {
  writeFileSync(at(name), content, { mode })
  chmodSync(at(name), mode)
  return at(name)
}

async function whyNot(file: string): Promise<string> {
  const read = await readClientSecret(file)
  assert('why' in read, 'it was read')
  assert(read.why.startsWith(file), read.why)
  return read.why.slice(file.length + 1)
}

test('a secret is one line, with or without its line break', async () => {
  const longest = 'x'.repeat(512)
  for (const [content, secret] of [
    ['s3cret', 's3cret'],
    ['s3cret\n', 's3cret'],
    ['s3cret\r\n', 's3cret'],
    [' with spaces: ~ ', ' with spaces: ~ '],
    [longest, longest],
    [`${longest}\r\n`, longest],
  ] as const) {
    const read = await readClientSecret(written('good', content))
    assert('secret' in read, content)
    assert.equal(Buffer.from(read.secret).toString(), secret)
  }
  // Kubernetes mounts a Secret as a symbolic link.
  symlinkSync(written('data', 'linked', 0o400), at('link'))
  const read = await readClientSecret(at('link'))
  assert('secret' in read)
  assert.equal(Buffer.from(read.secret).toString(), 'linked')
})

test('everything else is refused, in words that hold nothing of the file', async () => {
  const form = 'is not a client secret: one line of 1 to 512 printable characters'
  for (const content of [
    '',
    '\n',
    'hidden\nhidden\n',
    'hidden\n\n',
    'hidden\0',
    'h\tidden',
    'versteckt-ü',
    'x'.repeat(513),
    `${'x'.repeat(512)}\r\nx`,
    'x'.repeat(100_000),
    Buffer.of(0xff, 0xfe),
  ]) {
    assert.equal(await whyNot(written('odd', content)), form)
  }
  assert.equal(await whyNot(at('missing')), 'cannot be read: ENOENT')
  for (const mode of [0o604, 0o602, 0o620]) {
    const open = written(`open-${mode.toString(8)}`, 'hidden', mode)
    assert.equal(await whyNot(open), 'is open to other users: chmod 600 it')
  }
  mkdirSync(at('directory'))
  assert.equal(await whyNot(at('directory')), 'is not a file')
  // It has no writer, and may not hold up the server.
  execFileSync('mkfifo', ['-m', '600', at('pipe')])
  assert.equal(await whyNot(at('pipe')), 'is not a file')
})

test('what is wrong names the provider, and public clients have nothing to be wrong', async () => {
  const provider = (name: string, secretFile?: string): SignInProvider => ({
    name,
    issuer: 'https://login.example.com',
    clientId: 'trent',
    scope: 'openid',
    ...(secretFile !== undefined && { secretFile }),
  })
  const good = provider('Good', written('fine', 's3cret'))
  assert.deepEqual(await wrongClientSecrets([provider('Public'), good]), [])
  assert.deepEqual(await wrongClientSecrets([good, provider('Bad', at('missing'))]), [
    `TRENT_CONSOLE_SIGN_IN: the client secret of Bad: ${at('missing')} cannot be read: ENOENT`,
  ])
})
