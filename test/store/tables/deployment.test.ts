/** The rows that are read before the root key is open. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type DeploymentRecord,
  createDeployment,
  readDeployment,
} from '../../../src/store/tables/deployment.ts'
import { DuplicateRow } from '../../../src/store/store.ts'
import { engines } from '../engines.ts'

const record: DeploymentRecord = {
  deploymentId: '0d6f8b1e-1111-4222-8333-444455556666',
  createdAt: 1_700_000_000_000,
  seal: { kind: 'file', generation: 1, sealedRootKey: new Uint8Array(60).fill(1) },
  domainKeys: [
    { version: 1, wrapped: new Uint8Array(60).fill(2), createdAt: 5 },
    { version: 2, wrapped: new Uint8Array(60).fill(3), createdAt: 6 },
  ],
}

for (const { name: engine, open } of engines) {
  test(`${engine}: a deployment is absent, then as it was created`, async (t) => {
    const { database } = await open(t)
    assert.equal(await readDeployment(database), undefined)
    await createDeployment(database, { ...record, domainKeys: record.domainKeys.toReversed() })
    assert.deepEqual(await readDeployment(database), record)
  })

  test(`${engine}: a second deployment is refused and leaves the first whole`, async (t) => {
    const { database } = await open(t)
    await createDeployment(database, record)
    const second = { ...record, seal: { ...record.seal, generation: 2 }, domainKeys: [] }
    await assert.rejects(createDeployment(database, second), DuplicateRow)
    assert.deepEqual(await readDeployment(database), record)
  })
}
