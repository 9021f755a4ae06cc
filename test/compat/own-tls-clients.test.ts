/** The AWS CLI, boto3 and the SDK for JavaScript over TLS, with the files of `trent certificate`. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pythonClients } from './python-clients.ts'
import { openTlsWorkplace } from './tls-workplace.ts'

const clients = await pythonClients()
const { skip } = clients

test(
  'the AWS CLI trusts the authority of AWS_CA_BUNDLE, and nothing without it',
  { skip },
  async (t) => {
    const { ca, print, shell } = await openTlsWorkplace(t, clients)
    const listed = await print(`AWS_CA_BUNDLE='${ca}' aws kms list-keys --query Keys --output json`)
    assert.deepEqual(JSON.parse(listed), [])
    const { status, stderr } = await shell('aws kms list-keys')
    assert.notEqual(status, 0)
    assert.match(stderr, /SSL validation failed|CERTIFICATE_VERIFY_FAILED/)
  },
)

test('boto3 trusts the authority of AWS_CA_BUNDLE, and nothing without it', { skip }, async (t) => {
  const { ca, folder, print, shell, newKey } = await openTlsWorkplace(t, clients)
  const program = join(folder, 'round_trip.py')
  writeFileSync(
    program,
    [
      'import boto3, sys',
      'kms = boto3.client("kms")',
      'sealed = kms.encrypt(KeyId=sys.argv[1], Plaintext=b"hello")["CiphertextBlob"]',
      'print(kms.decrypt(CiphertextBlob=sealed)["Plaintext"].decode())',
    ].join('\n'),
  )
  const call = `python '${program}' ${await newKey()}`
  assert.equal(await print(`AWS_CA_BUNDLE='${ca}' ${call}`), 'hello\n')
  assert.match((await shell(call)).stderr, /SSLError|CERTIFICATE_VERIFY_FAILED/)
})

test('the SDK for JavaScript trusts the authority of NODE_EXTRA_CA_CERTS, and nothing without it', async (t) => {
  const { ca, print, shell } = await openTlsWorkplace(t, clients)
  const program = join(import.meta.dirname, '..', 'start', 'default-client.ts')
  const call = `'${process.execPath}' '${program}'`
  assert.notEqual(await print(`NODE_EXTRA_CA_CERTS='${ca}' ${call}`), '')
  assert.match((await shell(call)).stderr, /unable to verify the first certificate/)
})
