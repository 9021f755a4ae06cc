/** Services in the store, on every engine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DuplicateRow, StaleRow } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import { newService, otherRegion, region } from '../records.ts'

for (const { name: engine, open } of engines) {
  test(`${engine}: a service is there once a Region, by its name and by its access key`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    const given = newService('s3.amazonaws.com', { hosts: ['*.s3.local', 's3.local:9000'] })
    const elsewhere = newService('s3.amazonaws.com', { region: otherRegion, accessKeyId: 'ATSV2' })
    const other = newService('ec2.amazonaws.com')
    await store.change(async (transaction) => {
      for (const each of [given, elsewhere, other]) await transaction.insertService(each)
    })
    const service = await store.findService({ name: 's3.amazonaws.com', region })
    assert.deepEqual(service, { ...given, rowVersion: 1 })
    assert.deepEqual(await store.findServiceByKey(given.accessKeyId), service)
    assert.equal(await store.findServiceByKey('ATSV3'), undefined)
    const listed = (await store.listServices()).map(({ name, region: at }) => `${name} ${at}`)
    const expected = [other, elsewhere, given].map(({ name, region: at }) => `${name} ${at}`)
    assert.deepEqual(listed, expected)
    for (const taken of [
      { ...given, accessKeyId: 'ATSV4' },
      { ...given, name: 'rds.amazonaws.com' },
    ]) {
      await assert.rejects(
        store.change((transaction) => transaction.insertService(taken)),
        DuplicateRow,
      )
    }
  })

  test(`${engine}: a service that was registered again is not deleted in place of the former one`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    const given = newService('s3.amazonaws.com')
    const insert = (members: object) =>
      store.change((transaction) => transaction.insertService({ ...given, ...members }))
    await insert({})
    const [before] = await store.listServices()
    assert(before)
    const remove = () => store.change((transaction) => transaction.deleteService(before))
    await remove()
    assert.deepEqual(await store.listServices(), [])
    await insert({ accessKeyId: 'ATSV5' })
    await assert.rejects(remove(), StaleRow)
    const changes = await store.changesSince(0)
    assert.deepEqual(
      changes?.map(({ kind, id }) => [kind, id]),
      [
        ['service', given.accessKeyId],
        ['service', given.accessKeyId],
        ['service', 'ATSV5'],
      ],
    )
  })
}
