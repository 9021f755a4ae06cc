/**
 * The AWS CLI's rotation commands, as AWS's developer guide prints them, with this deployment's key ids
 * in place of the guide's.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { accountId } from '../harness.ts'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients
const patienceMs = 600_000
const dayS = 86_400

test('guide: enable and disable automatic key rotation', { skip }, async (t) => {
  const { newKey, json, print, shell } = await openWorkplace(t, clients)
  const key = await newKey()
  const arn = `arn:aws:kms:us-west-2:${accountId}:key/${key}`
  const status = `aws kms get-key-rotation-status --key-id ${key}`
  assert.deepEqual(await json(status), { KeyId: arn, KeyRotationEnabled: false })

  const enable = `aws kms enable-key-rotation \\
    --key-id ${key} \\
    --rotation-period-in-days 180`
  assert.equal(await print(enable), '')
  const { NextRotationDate, ...on } = (await json(status)) as Record<string, unknown>
  assert.deepEqual(on, { KeyId: arn, KeyRotationEnabled: true, RotationPeriodInDays: 180 })
  const days = (Number(NextRotationDate) - Date.now() / 1000) / dayS
  assert(days > 179 && days <= 180.001, String(days))

  assert.equal(await print(`aws kms disable-key-rotation --key-id ${key}`), '')
  assert.deepEqual(await json(status), { KeyId: arn, KeyRotationEnabled: false })

  const short = await shell(
    `aws kms enable-key-rotation --key-id ${key} --rotation-period-in-days 30`,
  )
  assert.notEqual(short.status, 0)
})

test('guide: rotate a key on demand, and list its rotations', { skip }, async (t) => {
  const { newKey, json } = await openWorkplace(t, clients)
  const key = await newKey()
  const arn = `arn:aws:kms:us-west-2:${accountId}:key/${key}`
  assert.deepEqual(await json(`aws kms rotate-key-on-demand --key-id ${key}`), { KeyId: arn })
  const list = `aws kms list-key-rotations --key-id ${key} --query Rotations`
  const deadline = Date.now() + patienceMs
  let rotations = (await json(list)) as readonly Readonly<Record<string, unknown>>[]
  while (rotations.length === 0) {
    assert(Date.now() < deadline, 'the rotation does not end')
    await sleep(50)
    rotations = (await json(list)) as typeof rotations
  }
  const [{ KeyMaterialId, RotationDate, ...rest } = {}] = rotations
  assert.match(String(KeyMaterialId), /^[0-9a-f]{64}$/)
  assert.equal(typeof RotationDate, 'number')
  assert.deepEqual(rest, { KeyId: arn, RotationType: 'ON_DEMAND', KeyMaterialState: 'CURRENT' })
  const all = (await json(
    list.replace(' --query', ' --include-key-material ALL_KEY_MATERIAL --query'),
  )) as readonly Readonly<Record<string, unknown>>[]
  assert.deepEqual(
    all.map(({ KeyMaterialState }) => KeyMaterialState),
    ['NON_CURRENT', 'CURRENT'],
  )
  const described = 'KeyMetadata.CurrentKeyMaterialId'
  const current = await json(`aws kms describe-key --key-id ${key} --query ${described}`)
  assert.equal(current, KeyMaterialId)
})
