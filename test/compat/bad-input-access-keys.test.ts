/** Access keys that were taken out of use: as good as none, while others of the deployment go on. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ListKeysCommand } from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { otherCredentials, startWithTwoAccounts } from './accounts.ts'
import { refused } from './sdk.ts'
import { callByHand } from './signed-http.ts'
import { withStore } from './stored.ts'

test('an inactive access key is as one that is not there, and works again when it is active', async () => {
  const first = await startWithTwoAccounts()
  const { directory } = first
  await first.otherClient().send(new ListKeysCommand({}))
  await first.stop('keep')
  for (const status of ['Inactive', 'Active'] as const) {
    await withStore(directory, async (store) => {
      const accessKey = await store.findAccessKey(otherCredentials.accessKeyId)
      assert(accessKey)
      await store.change((transaction) => transaction.updateAccessKey(accessKey, { status }))
    })
    const server = await startTestServer({}, { directory })
    after(() => server.stop())
    const call = server.client({ credentials: otherCredentials }).send(new ListKeysCommand({}))
    if (status === 'Active') {
      await call
    } else {
      const message = 'The security token included in the request is invalid.'
      await refused(call, 'UnrecognizedClientException', message)
      const { accessKeyId, secretAccessKey: secret } = otherCredentials
      const unknown = await callByHand(server.port, 'ListKeys', { accessKeyId: 'NOTTHERE', secret })
      const inactive = await callByHand(server.port, 'ListKeys', { accessKeyId, secret })
      assert.deepEqual([inactive.status, inactive.text], [unknown.status, unknown.text])
    }
    await server.client().send(new ListKeysCommand({}))
    await server.stop('keep')
  }
})
