import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import {
  CreateKeyCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
  type Tag,
} from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { answerOf, fails, makeKey, refused, validationError } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
let KeyId: string

beforeEach(async () => {
  KeyId = (await makeKey(kms)).keyId
})

function tag(...pairs: readonly (readonly [string, string])[]): Tag[] {
  return pairs.map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
}

function add(Tags: Tag[] | undefined): Promise<object> {
  return kms.send(new TagResourceCommand({ KeyId, Tags }))
}

async function tags(): Promise<unknown> {
  return answerOf(kms.send(new ListResourceTagsCommand({ KeyId })))
}

test('TagResource adds at the end and overwrites in place; UntagResource takes away', async () => {
  assert.deepEqual(await tags(), { Tags: [], Truncated: false })
  assert.deepEqual(await answerOf(add(tag(['b', '1'], ['a', '2']))), {})
  await add(tag(['c', ''], ['b', '3']))
  const three = tag(['b', '3'], ['a', '2'], ['c', ''])
  assert.deepEqual(await tags(), { Tags: three, Truncated: false })
  const untag = new UntagResourceCommand({ KeyId, TagKeys: ['a', 'never-there'] })
  assert.deepEqual(await answerOf(kms.send(untag)), {})
  assert.deepEqual(await tags(), { Tags: tag(['b', '3'], ['c', '']), Truncated: false })
  await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['a'] }))
  await kms.send(new UntagResourceCommand({ KeyId, TagKeys: [] }))
  await add([])
  assert.deepEqual(await tags(), { Tags: tag(['b', '3'], ['c', '']), Truncated: false })
})

test('tags differ by case, and may hold any text', async () => {
  const Tags = tag(['Name', 'ÄÖÜ €'], ['name', '="quoted"'], ['__proto__', 'p'], ['kms:x', ''])
  await add(Tags)
  assert.deepEqual(await tags(), { Tags, Truncated: false })
})

test('a key has fifty tags at most, counting those that it has', async () => {
  const fifty = Array.from({ length: 50 }, (_, index): Tag => ({
    TagKey: `t${index}`,
    TagValue: '',
  }))
  await add(fifty)
  assert.deepEqual(await tags(), { Tags: fifty, Truncated: false })
  await refused(add(tag(['one-more', ''])), 'TagException', 'Too many tags')
  await add(tag(['t49', 'changed']))
  const made = kms.send(new CreateKeyCommand({ Tags: [...fifty, ...tag(['one-more', ''])] }))
  await refused(made, 'TagException', 'Too many tags')
})

test('tags that AWS refuses are refused at creation and after it, and nothing changes', async () => {
  const keys = await kms.send(new ListKeysCommand({ Limit: 1000 }))
  const long = 'x'.repeat(257)
  for (const [given, code, message] of [
    [tag(['a', '1'], ['a', '2']), 'TagException', 'Duplicate tag keys'],
    [tag(['aws:mine', '1']), 'TagException', 'Tags beginning with aws: are reserved'],
    [tag(['AWS:mine', '1']), 'TagException', 'Tags beginning with aws: are reserved'],
    [
      tag([long.slice(0, 129), '1']),
      'ValidationException',
      validationError(
        fails(
          `'${long.slice(0, 129)}'`,
          'tags.1.member.tagKey',
          'have length less than or equal to 128',
        ),
      ),
    ],
    [
      tag(['a', '1'], ['', '2'], ['b', long]),
      'ValidationException',
      validationError(
        fails("''", 'tags.2.member.tagKey', 'have length greater than or equal to 1'),
        fails(`'${long}'`, 'tags.3.member.tagValue', 'have length less than or equal to 256'),
      ),
    ],
    [
      [{ TagKey: 'a', TagValue: undefined }],
      'ValidationException',
      validationError(fails('null', 'tags.1.member.tagValue', 'not be null')),
    ],
  ] as const) {
    await refused(add([...given]), code, message)
    await refused(kms.send(new CreateKeyCommand({ Tags: [...given] })), code, message)
  }
  assert.deepEqual(await tags(), { Tags: [], Truncated: false })
  assert.deepEqual((await kms.send(new ListKeysCommand({ Limit: 1000 }))).Keys, keys.Keys)
})

test('tags and tag keys must be given', async () => {
  const missing = (name: string): string => validationError(fails('null', name, 'not be null'))
  await refused(add(undefined), 'ValidationException', missing('tags'))
  const untag = new UntagResourceCommand({ KeyId, TagKeys: undefined })
  await refused(kms.send(untag), 'ValidationException', missing('tagKeys'))
})

test('many who tag one key at once lose no tag', async () => {
  await Promise.all(Array.from({ length: 40 }, (_, index) => add(tag([`raced-${index}`, 'x']))))
  const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId }))
  const names = (Tags ?? []).map(({ TagKey }) => TagKey ?? '').sort()
  assert.deepEqual(names, Array.from({ length: 40 }, (_, index) => `raced-${index}`).sort())
})
