/**
 * GetResources — lists tagged KMS keys of an account and Region with their tags, by the Resource Groups
 * Tagging API. Other services' resources are not Trent's.
 * @see https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
 * @module
 */
import type {
  GetResourcesInput,
  GetResourcesOutput,
} from '@aws-sdk/client-resource-groups-tagging-api'
import { KmsError } from '../../errors.ts'
import type { KeyRecord } from '../../model/key.ts'
import {
  boolean,
  integer,
  list,
  structure,
  text,
  type Input,
  type Members,
} from '../../model/shape.ts'
import type { Store } from '../../store/store.ts'
import type { Pages } from '../contract/dependencies.ts'
import type { Drift, Operation } from '../contract/operation.ts'

const arnMax = 1011

const input = {
  PaginationToken: text({ max: 2048 }),
  TagFilters: list(
    structure({
      Key: text({ min: 1, max: 128 }),
      Values: list(text({ max: 256 }), { max: 20 }),
    }),
    { max: 50 },
  ),
  ResourcesPerPage: integer({ min: 1, max: 100 }),
  TagsPerPage: integer({ min: 100, max: 500 }),
  ResourceTypeFilters: list(text({ max: 256 }), { max: 100 }),
  IncludeComplianceDetails: boolean(),
  ExcludeCompliantResources: boolean(),
  ResourceARNList: list(text({ min: 1, max: arnMax }), { max: 100 }),
}

/** AWS's default. */
const resourcesPerPage = 50
/** Keys examined for one page. If few match, the page is not full. */
const examinedMax = 2000
const readMax = 500

/** Compilation fails if the definition differs from the official SDK's request or response. */
function taggingOperation<Request, Response>() {
  return <const M extends Members>(
    definition: Omit<Operation<M, Response, never>, 'service' | 'door' | 'keys'> &
      Drift<Request, M>,
  ): Operation<M, Response, never> => ({
    service: 'tagging',
    door: 'signed',
    keys: {},
    ...definition,
  })
}

export const getResources = taggingOperation<GetResourcesInput, GetResourcesOutput>()({
  name: 'GetResources',
  input,
  permissions: () => [{ action: 'tag:GetResources', unnamedResource: true }],
  readOnly: true,
  audit: [
    'PaginationToken',
    'TagFilters',
    'ResourcesPerPage',
    'TagsPerPage',
    'ResourceTypeFilters',
    'IncludeComplianceDetails',
    'ExcludeCompliantResources',
    'ResourceARNList',
  ],
  throws: ['ValidationException', 'AccessDeniedException', 'InvalidParameterException'],
  check({ IncludeComplianceDetails, ExcludeCompliantResources, ResourceARNList, ...rest }) {
    if (IncludeComplianceDetails === true || ExcludeCompliantResources === true) {
      throw new KmsError('InvalidParameterException', 'there are no tag policies')
    }
    const others = [rest.TagFilters, rest.ResourceTypeFilters, rest.ResourcesPerPage]
    if (ResourceARNList !== undefined && others.some((each) => each !== undefined)) {
      const message = 'ResourceARNList goes with no filter and no page size'
      throw new KmsError('InvalidParameterException', message)
    }
  },
  async run({ input: asked, caller: { accountId }, region, arn }, { store, pages }) {
    const { PaginationToken, ...question } = asked
    const scope = JSON.stringify(['GetResources', accountId, region, question])
    const after = openToken(pages, scope, PaginationToken)
    const { keys, next } = await readTagged({ ...asked, accountId, region, arn, after }, store)
    return {
      PaginationToken: next === undefined ? '' : pages.seal(scope, next),
      ResourceTagMappingList: keys.map((key) => ({
        ResourceARN: arn(key),
        Tags: key.tags.map(({ TagKey, TagValue }) => ({ Key: TagKey, Value: TagValue })),
      })),
    }
  },
})

interface Asked extends Input<typeof input> {
  readonly accountId: string
  readonly region: string
  readonly arn: (key: KeyRecord) => string
  readonly after: string | undefined
}

/** Returns the tagged keys of one page, and the last examined key if there may be more. */
async function readTagged(
  asked: Asked,
  store: Pick<Store, 'listKeys'>,
): Promise<{ readonly keys: readonly KeyRecord[]; readonly next?: string }> {
  if (!asksForKeys(asked)) return { keys: [] }
  const { accountId, region, ResourcesPerPage = resourcesPerPage, TagsPerPage = Infinity } = asked
  const keys: KeyRecord[] = []
  let { after } = asked
  let tags = 0
  for (let examined = 0; examined < examinedMax; examined += readMax) {
    const page = { limit: readMax, ...(after !== undefined && { after }) }
    const found = await store.listKeys(accountId, region, page)
    for (const key of found) {
      if (matches(key, asked)) {
        tags += key.tags.length
        if (keys.length === ResourcesPerPage || (keys.length > 0 && tags > TagsPerPage)) {
          return { keys, ...(after !== undefined && { next: after }) }
        }
        keys.push(key)
      }
      after = key.keyId
    }
    if (found.length < readMax) return { keys }
  }
  return { keys, ...(after !== undefined && { next: after }) }
}

function asksForKeys({ ResourceTypeFilters: types = [] }: Asked): boolean {
  return types.length === 0 || types.some((type) => type === 'kms' || type === 'kms:key')
}

/** AWS lists resources that are tagged. Every filter must match. */
function matches(key: KeyRecord, { TagFilters = [], ResourceARNList, arn }: Asked): boolean {
  if (key.tags.length === 0) return false
  if (ResourceARNList !== undefined && !ResourceARNList.includes(arn(key))) return false
  return TagFilters.every(({ Key, Values = [] }) =>
    key.tags.some(
      ({ TagKey, TagValue }) =>
        TagKey === Key && (Values.length === 0 || Values.includes(TagValue)),
    ),
  )
}

function openToken(pages: Pages, scope: string, token: string | undefined): string | undefined {
  try {
    return pages.open(scope, token === '' ? undefined : token)
  } catch (error) {
    if (!(error instanceof KmsError)) throw error
    throw new KmsError('InvalidParameterException', 'the pagination token is not valid')
  }
}
