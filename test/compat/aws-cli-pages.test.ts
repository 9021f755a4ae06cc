/** The AWS CLI's own pagination over Trent's pages and markers. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateAliasCommand, TagResourceCommand } from '@aws-sdk/client-kms'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients

interface KeyPage {
  readonly Keys: readonly { readonly KeyId: string }[]
  readonly NextToken?: string
}

test(
  'list-keys: --page-size, --max-items and --starting-token reach every key once',
  { skip },
  async (t) => {
    const { newKey, json, shell } = await openWorkplace(t, clients)
    const made = await Promise.all(Array.from({ length: 5 }, () => newKey()))
    const idsOf = (page: KeyPage): readonly string[] => page.Keys.map(({ KeyId }) => KeyId)

    const whole = (await json('aws kms list-keys --page-size 2')) as KeyPage
    assert.deepEqual([...idsOf(whole)].sort(), [...made].sort())
    assert.equal(whole.NextToken, undefined)

    // Three items of pages of two: the CLI's token also says how far into the second page it stopped.
    const first = (await json('aws kms list-keys --page-size 2 --max-items 3')) as KeyPage
    assert.equal(first.Keys.length, 3)
    const rest = (await json(
      `aws kms list-keys --page-size 2 --starting-token ${first.NextToken}`,
    )) as KeyPage
    assert.deepEqual([...idsOf(first), ...idsOf(rest)], idsOf(whole))

    const single = (await json('aws kms list-keys --limit 2 --no-paginate')) as KeyPage & {
      readonly NextMarker: string
      readonly Truncated: boolean
    }
    assert.deepEqual([idsOf(single), single.Truncated], [idsOf(whole).slice(0, 2), true])
    const { NextMarker } = single
    const flipped =
      NextMarker.slice(0, -2) + (NextMarker.at(-2) === 'A' ? 'B' : 'A') + NextMarker.at(-1)
    const forged = await shell(`aws kms list-keys --no-paginate --marker ${flipped}`)
    assert.equal(forged.status, 255)
    assert.equal(
      forged.stderr.trim(),
      'An error occurred (InvalidMarkerException) when calling the ListKeys operation:',
    )
  },
)

test('list-aliases and list-resource-tags go on over pages of one', { skip }, async (t) => {
  const { newKey, client, json } = await openWorkplace(t, clients)
  const key = await newKey()
  const names = ['alias/a', 'alias/b', 'alias/c']
  for (const AliasName of names) {
    await client.send(new CreateAliasCommand({ AliasName, TargetKeyId: key }))
  }
  const Tags = ['x', 'y', 'z'].map((TagKey) => ({ TagKey, TagValue: TagKey.repeat(3) }))
  await client.send(new TagResourceCommand({ KeyId: key, Tags }))
  assert.deepEqual(
    await json(`aws kms list-aliases --page-size 1 --key-id ${key} --query 'Aliases[*].AliasName'`),
    names,
  )
  assert.deepEqual(await json(`aws kms list-resource-tags --page-size 1 --key-id ${key}`), { Tags })
})
