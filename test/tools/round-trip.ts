/** What a round trip through an SDK must show, whatever the language; the programs say the same things. @module */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { DecryptCommand, DisableKeyCommand } from '@aws-sdk/client-kms'
import { openWorkplace, type Workplace } from '../compat/workplace.ts'
import type { Tool } from './installed.ts'

const EncryptionContext = { purpose: 'round trip', city: 'Zürich' }

/** @param command the program, which takes a key to encrypt under and a P-256 key to sign with */
export async function roundTrip(
  t: TestContext,
  tool: Tool,
  command: string,
  language: string,
): Promise<void> {
  const workplace = await openWorkplace(t, tool)
  const { client, print, shell } = workplace
  const keys = await makeKeys(workplace)
  const [sealing = ''] = keys.split(' ')
  const call = `${command} ${keys}`
  // What one SDK sealed another opens.
  const CiphertextBlob = requireResults(await print(call), language)
  const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
  assert.equal(Buffer.from(Plaintext ?? []).toString(), `hello from ${language}`)

  await client.send(new DisableKeyCommand({ KeyId: sealing }))
  const { status, stdout, stderr } = await shell(call)
  assert.equal(status, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /DisabledException/)
  assert.match(stderr, new RegExp(`arn:aws:kms:\\S+:key/${sealing} is disabled`))
}

/** The programs' arguments: a key to encrypt under and a P-256 key to sign with. */
export async function makeKeys({ newKey }: Pick<Workplace, 'newKey'>): Promise<string> {
  const signing = await newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  return `${await newKey()} ${signing}`
}

/** Checks what a program printed, and returns its ciphertext. */
export function requireResults(printed: string, language: string): Buffer {
  const { ciphertext = '', ...said } = namedLines(printed)
  assert.deepEqual(said, {
    opened: `hello from ${language}`,
    refused: 'InvalidCiphertextException',
    'data-key': '32 true',
    verified: 'true',
  })
  return Buffer.from(ciphertext, 'hex')
}

function namedLines(printed: string): Record<string, string> {
  const lines = printed.trimEnd().split('\n')
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? []
      return [name, value]
    }),
  )
}
