/**
 * The AWS CLI's commands for a key store in an HSM cluster, as AWS's developer guide and
 * `docs/custom-key-stores.md` print them, with this deployment's ids, password and certificate.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterId, trustAnchor } from '../operations/kms/cluster-stores.ts'
import { noSoftHsm, pin, softHsm } from '../pkcs11/soft-hsm.ts'
import { eventually } from '../start/node-process.ts'
import { temporaryFolder } from '../store/engines.ts'
import { hsmSettings, tokenLabel } from './cluster-store.ts'
import { pythonClients } from './python-clients.ts'
import { advance } from './test-clock.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const skip = clients.skip || (noSoftHsm ?? false)

test('guide: the life of an AWS CloudHSM key store and of a key in it', { skip }, async (t) => {
  const hsm = softHsm(t)
  hsm.makeToken(tokenLabel)
  const settings = hsmSettings(hsm, temporaryFolder(t))
  const { server, json, print, shell, write } = await openWorkplace(t, clients, settings)
  await write('customerCA.crt', trustAnchor)
  await write('secret.txt', 'the HSM sees this')
  const created = (await json(`
    aws kms create-custom-key-store \\
      --custom-key-store-name ExampleCloudHSMKeyStore \\
      --cloud-hsm-cluster-id ${clusterId} \\
      --key-store-password '${pin}' \\
      --trust-anchor-certificate file://customerCA.crt`)) as { CustomKeyStoreId: string }
  const { CustomKeyStoreId: id } = created
  assert.match(id, /^cks-[0-9a-f]{17}$/)
  const stateBy = (given: string) =>
    print(
      `aws kms describe-custom-key-stores ${given} ` +
        "--query 'CustomKeyStores[].ConnectionState' --output text",
    )
  const settled = async (): Promise<string> => {
    let state = ''
    await eventually(60_000, async () => {
      state = (await stateBy(`--custom-key-store-id ${id}`)).trim()
      return !state.endsWith('ING')
    })
    return state
  }
  assert.equal(await stateBy('--custom-key-store-name ExampleCloudHSMKeyStore'), 'DISCONNECTED\n')
  const connect = `aws kms connect-custom-key-store --custom-key-store-id ${id}`
  assert.equal(await print(connect), '')
  assert.equal(await settled(), 'CONNECTED')

  const { KeyMetadata } = (await json(
    `aws kms create-key --origin AWS_CLOUDHSM --custom-key-store-id ${id}`,
  )) as { KeyMetadata: Readonly<Record<string, unknown>> }
  const { KeyId, Origin, CustomKeyStoreId, CloudHsmClusterId, KeyState } = KeyMetadata
  assert.deepEqual(
    [Origin, CustomKeyStoreId, CloudHsmClusterId, KeyState],
    ['AWS_CLOUDHSM', id, clusterId, 'Enabled'],
  )
  const opened = await print(`
    aws kms encrypt --key-id ${String(KeyId)} --plaintext fileb://secret.txt \\
      --output text --query CiphertextBlob | base64 --decode > sealed
    aws kms decrypt --ciphertext-blob fileb://sealed \\
      --output text --query Plaintext | base64 --decode`)
  assert.equal(opened, 'the HSM sees this')
  const random = await print(
    `aws kms generate-random --number-of-bytes 32 --custom-key-store-id ${id} ` +
      '--output text --query Plaintext | base64 --decode | wc --bytes',
  )
  assert.equal(random.trim(), '32')

  const update = `aws kms update-custom-key-store --custom-key-store-id ${id}`
  assert.equal(await print(`${update} --new-custom-key-store-name DevelopmentKeys`), '')
  const early = await shell(`${update} --key-store-password '${pin}'`)
  assert.match(
    early.stderr,
    /\(CustomKeyStoreInvalidStateException\) when calling the UpdateCustom/,
  )
  const disconnect = `aws kms disconnect-custom-key-store --custom-key-store-id ${id}`
  assert.equal(await print(disconnect), '')
  assert.equal(await settled(), 'DISCONNECTED')
  assert.equal(
    await print(`${update} --key-store-password '${pin}' --cloud-hsm-cluster-id ${clusterId}`),
    '',
  )
  const remove = `aws kms delete-custom-key-store --custom-key-store-id ${id}`
  const held = await shell(remove)
  assert.match(held.stderr, /\(CustomKeyStoreHasCMKsException\) when calling the DeleteCustomKeyS/)
  await print(`aws kms schedule-key-deletion --key-id ${String(KeyId)} --pending-window-in-days 7`)
  await advance(server.url, '8d')
  assert.equal(await print(remove), '')
  const gone = await shell(`aws kms describe-custom-key-stores --custom-key-store-id ${id}`)
  assert.match(gone.stderr, /\(CustomKeyStoreNotFoundException\) when calling the DescribeCustomK/)
})
