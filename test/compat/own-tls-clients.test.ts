/** The AWS CLI, boto3 and the SDK for JavaScript over TLS, with the lines that `trent certificate` prints. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { makeAuthority, makeServerCertificate } from '../../src/tls/make.ts'
import { writtenTls } from '../tls/files.ts'
import { pythonClients } from './python-clients.ts'
import { openWorkplace, type Workplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients

interface Trusting extends Workplace {
  /** The authority's certificate, to be named by each client's own variable. */
  readonly ca: string
}

async function opened(t: TestContext): Promise<Trusting> {
  const now = Date.now()
  const authority = await makeAuthority(now)
  const names = ['localhost', '127.0.0.1']
  const pair = await makeServerCertificate({ authority, names, days: 1, now })
  const written = writtenTls(t, { ...pair, authority: authority.cert })
  const workplace = await openWorkplace(t, clients, written.settings)
  assert.match(workplace.server.url, /^https:/)
  return { ...workplace, ca: written.authority }
}

test(
  'the AWS CLI trusts the authority of AWS_CA_BUNDLE, and nothing without it',
  { skip },
  async (t) => {
    const { ca, print, shell } = await opened(t)
    const listed = await print(`AWS_CA_BUNDLE='${ca}' aws kms list-keys --query Keys --output json`)
    assert.deepEqual(JSON.parse(listed), [])
    const { status, stderr } = await shell('aws kms list-keys')
    assert.notEqual(status, 0)
    assert.match(stderr, /SSL validation failed|CERTIFICATE_VERIFY_FAILED/)
  },
)

test('boto3 trusts the authority of AWS_CA_BUNDLE, and nothing without it', { skip }, async (t) => {
  const { ca, folder, print, shell, newKey } = await opened(t)
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
  const { ca, print, shell } = await opened(t)
  const program = join(import.meta.dirname, '..', 'start', 'default-client.ts')
  const call = `'${process.execPath}' '${program}'`
  assert.notEqual(await print(`NODE_EXTRA_CA_CERTS='${ca}' ${call}`), '')
  assert.match((await shell(call)).stderr, /unable to verify the first certificate/)
})
