import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGrant } from '../../../src/operations/kms/create-grant.ts'
import { accountId, call, createWorld, makeKey } from './memory-dependencies.ts'

const SourceArn = 'arn:aws:s3:us-west-2:111122223333:bucket'

test('a grant takes an empty context beside the one that is meant for none', async () => {
  for (const meant of ['EncryptionContextEquals', 'EncryptionContextSubset'] as const) {
    const world = createWorld()
    const { keyId: KeyId } = await makeKey(world)
    const both = { EncryptionContextEquals: {}, EncryptionContextSubset: {}, SourceArn }
    const asked = {
      KeyId,
      GranteePrincipal: `arn:aws:iam::${accountId}:root`,
      Operations: ['Encrypt' as const],
      Constraints: { ...both, [meant]: { team: 'blue' } },
    }
    await call(world, 'CreateGrant', asked)
    const constraints = { SourceArn, [meant]: { team: 'blue' } }
    assert.deepEqual(structuredClone(world.rows.grants[0]?.constraints), constraints)
    assert.deepEqual(createGrant.requestedGrant?.(asked)?.constraints, constraints)
    const types = createGrant.context?.(asked, 'key', {})['kms:GrantConstraintType'] ?? []
    assert.deepEqual(new Set(types), new Set([meant, 'SourceArn']))
  }
})
