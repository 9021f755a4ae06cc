/** Converts the tags of a document, a map, to those of IAM and KMS. @module */
import type { IdentityTag } from '../../../model/identity.ts'
import type { Tag } from '../../../model/key.ts'
import { type Member, readInput, required } from '../../../model/shape.ts'
import { checkTags as checkIdentityTags, tags as identityTags } from '../../iam/members.ts'
import { tags as keyTags } from '../../kms/members.ts'
import { checkTags as checkKeyTags } from '../../kms/tags.ts'
import { type DocumentPath, placed, refusalAt } from './document-path.ts'

type Given = Readonly<Record<string, string>>

/**
 * Merges the tags of the document into the present ones. Undefined if nothing changes.
 * @param prune whether tags that the document omits are removed
 */
export async function identityTagsOf(
  present: readonly IdentityTag[],
  given: Given | undefined,
  place: DocumentPath,
  prune: boolean,
): Promise<readonly IdentityTag[] | undefined> {
  const merged = mergedTags(
    present.map(({ Key, Value }) => [Key, Value] as const),
    given,
    prune,
  )
  if (merged === undefined) return undefined
  const tags = merged.map(([Key, Value]) => ({ Key, Value }))
  await placed(place, () => checkIdentityTags(withinLimits(identityTags, tags, place)))
  return tags
}

/** The same as `identityTagsOf`, for a key. */
export async function keyTagsOf(
  present: readonly Tag[],
  given: Given | undefined,
  place: DocumentPath,
  prune: boolean,
): Promise<readonly Tag[] | undefined> {
  const merged = mergedTags(
    present.map(({ TagKey, TagValue }) => [TagKey, TagValue] as const),
    given,
    prune,
  )
  if (merged === undefined) return undefined
  const tags = merged.map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
  await placed(place, () => checkKeyTags(withinLimits(keyTags, tags, place)))
  return tags
}

type Pair = readonly [name: string, value: string]

function mergedTags(
  present: readonly Pair[],
  given: Given | undefined,
  prune: boolean,
): readonly Pair[] | undefined {
  const wanted = new Map(Object.entries(given ?? {}))
  const kept = present.filter(([name]) => !prune || wanted.has(name))
  const merged = new Map([...kept, ...wanted])
  const same =
    merged.size === present.length && present.every(([name, value]) => merged.get(name) === value)
  return same ? undefined : [...merged]
}

function withinLimits<T>(
  member: Member<T, false>,
  tags: readonly object[],
  place: DocumentPath,
): T {
  const { input, failures } = readInput({ tags: required(member) }, { tags })
  if (failures.length === 0) return input.tags
  throw refusalAt(place, 'too many tags, or a tag with a name or value that is too long')
}
