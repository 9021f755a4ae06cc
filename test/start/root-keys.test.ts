/** Which root access key works, as the settings of each start say. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ListKeysCommand } from '@aws-sdk/client-kms'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { join } from 'node:path'

const first = { accessKeyId: 'FIRSTROOT', secretAccessKey: 'first-secret-access-key' }
const second = { accessKeyId: 'SECONDROOT', secretAccessKey: 'second-secret-access-key' }

function start(root: typeof first, directory?: string): Promise<TestServer> {
  const settings = {
    TRENT_ROOT_ACCESS_KEY_ID: root.accessKeyId,
    TRENT_ROOT_SECRET_ACCESS_KEY: root.secretAccessKey,
  }
  return startTestServer(settings, directory === undefined ? {} : { directory })
}

async function works(server: TestServer, credentials: typeof first): Promise<boolean> {
  try {
    await server.client({ credentials }).send(new ListKeysCommand({}))
    return true
  } catch (error) {
    assert.ok(error instanceof Error)
    assert.equal(error.name, 'UnrecognizedClientException')
    return false
  }
}

test('another root access key in the settings ends the one before, and back again', async () => {
  let server = await start(first)
  const { directory } = server
  assert.deepEqual([await works(server, first), await works(server, second)], [true, false])
  await server.stop('keep')
  server = await start(second, directory)
  assert.deepEqual([await works(server, first), await works(server, second)], [false, true])
  await server.stop('keep')
  server = await start(first, directory)
  assert.deepEqual([await works(server, first), await works(server, second)], [true, false])

  const events: string[] = []
  await readRecords(join(directory, 'journal'), (text) => {
    const { eventName, serviceEventDetails: details } = JSON.parse(text) as {
      eventName: string
      serviceEventDetails?: { active?: string; accessKeyId?: string }
    }
    if (details !== undefined) events.push(`${eventName} ${details.active ?? details.accessKeyId}`)
  })
  assert.deepEqual(events, [
    'CreateAccount FIRSTROOT',
    'CreateRootAccessKey SECONDROOT',
    'UpdateRootAccessKeys SECONDROOT',
    'UpdateRootAccessKeys FIRSTROOT',
  ])
  await server.stop()
})
