/**
 * The tags of users, roles, managed policies and OpenID Connect providers: TagUser, UntagUser, ListUserTags,
 * and the same for Role, Policy and OpenIDConnectProvider. Keys that differ only in case are the same key.
 * @module
 */
import type {
  ListOpenIDConnectProviderTagsRequest,
  ListOpenIDConnectProviderTagsResponse,
  ListPolicyTagsRequest,
  ListPolicyTagsResponse,
  ListRoleTagsRequest,
  ListRoleTagsResponse,
  ListUserTagsRequest,
  ListUserTagsResponse,
  TagOpenIDConnectProviderRequest,
  TagPolicyRequest,
  TagRoleRequest,
  TagUserRequest,
  UntagOpenIDConnectProviderRequest,
  UntagPolicyRequest,
  UntagRoleRequest,
  UntagUserRequest,
} from '@aws-sdk/client-iam'
import { KmsError, type ErrorCode } from '../../errors.ts'
import type { IdentityKind, IdentityTag } from '../../model/identity.ts'
import { lowerFirst, required } from '../../model/shape.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'
import type { Operation, Permission } from '../contract/operation.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  operationOn,
  roles,
  users,
  type NamedBy,
  type TaggableKind,
  type TaggableName,
} from './identity-kinds.ts'
import { checkPolicyArn, managedPolicyOf, ownPolicyOf, policyPermission } from './managed-policy.ts'
import { checkName, checkTags, marker, maxItems, policyArn, tagKeys, tags } from './members.ts'
import {
  checkProviderArn,
  oidcProviderOf,
  providerArn,
  providerPermission,
} from './oidc-provider.ts'
import { pageOf } from './page.ts'
import { requestTags } from './shown-user.ts'

const tagsMax = 50

type Tags = readonly IdentityTag[]
type Named<N extends string> = Readonly<Record<N, string>>

/** The permission of an operation: on a user or role, or on the resource of an ARN. */
type Authorization<N extends string> = Pick<Operation, IdentityKind> & {
  readonly permissions?: (input: Named<N>) => readonly Permission[]
}

/** How an operation names, checks, reads and changes a resource that has tags. */
interface Taggable<N extends string> extends NamedBy<N, Authorization<N>> {
  /** @throws {KmsError} one of `checkErrors` */
  readonly check: (name: string) => void
  readonly checkErrors: readonly ErrorCode[]
  /** The tags, and the parts that identify the resource in the scope of a marker. */
  readonly find: (
    call: Call<Named<N>, never>,
    store: StoreReads,
  ) => Promise<{ readonly tags: Tags; readonly scope: readonly string[] }>
  /** Stores the tags that `change` returns, unless they are the same as before. */
  readonly retag: (call: Call<Named<N>, never>, change: (tags: Tags) => Tags) => Promise<void>
}

function identities<N extends TaggableName>(kind: TaggableKind<N>): Taggable<N> {
  return {
    member: kind.member,
    name: kind.name,
    declare: kind.declare,
    check: (name) => checkName(lowerFirst(kind.member), name),
    checkErrors: ['ValidationException'],
    async find(call) {
      const { record, uniqueId } = kind.found(call)
      return { tags: record.tags, scope: [uniqueId] }
    },
    async retag(call, change) {
      const { record, update } = kind.found(call)
      const changed = change(record.tags)
      await call.commit(async (transaction) => {
        if (!sameTags(record.tags, changed)) await update(transaction, { tags: changed })
      })
    },
  }
}

const taggableUsers = identities(users)
const taggableRoles = identities(roles)

const policies: Taggable<'PolicyArn'> = {
  member: 'PolicyArn',
  name: required(policyArn),
  declare: (action) => ({ permissions: ({ PolicyArn }) => policyPermission(action, PolicyArn) }),
  check: checkPolicyArn,
  checkErrors: ['ValidationException', 'InvalidInputException'],
  async find(call, store) {
    const policy = await managedPolicyOf(call.input.PolicyArn, call, store)
    return { tags: policy.tags, scope: [policy.policyId] }
  },
  async retag(call, change) {
    await call.commit(async (transaction) => {
      const policy = await ownPolicyOf(call.input.PolicyArn, call, transaction)
      const changed = change(policy.tags)
      if (sameTags(policy.tags, changed)) return
      await transaction.updateManagedPolicy(policy, { tags: changed })
    })
  },
}

const providers: Taggable<'OpenIDConnectProviderArn'> = {
  member: 'OpenIDConnectProviderArn',
  name: required(providerArn),
  declare: (action) => ({
    permissions: ({ OpenIDConnectProviderArn: arn }) => providerPermission(action, arn),
  }),
  check: checkProviderArn,
  checkErrors: ['ValidationException', 'InvalidInputException'],
  async find(call, store) {
    const provider = await oidcProviderOf(call.input.OpenIDConnectProviderArn, call, store)
    return { tags: provider.tags, scope: [provider.accountId, provider.name] }
  },
  async retag(call, change) {
    await call.commit(async (transaction) => {
      const provider = await oidcProviderOf(call.input.OpenIDConnectProviderArn, call, transaction)
      const changed = change(provider.tags)
      if (sameTags(provider.tags, changed)) return
      await transaction.updateOidcProvider(provider, { tags: changed })
    })
  },
}

/**
 * The tags with `given` added; a tag of the same key is replaced.
 * @throws {KmsError} `LimitExceededException`
 */
function withTags(present: Tags, given: Tags): Tags {
  const merged = new Map(present.map((tag) => [tag.Key.toLowerCase(), tag]))
  for (const tag of given) merged.set(tag.Key.toLowerCase(), tag)
  if (merged.size <= tagsMax) return [...merged.values()]
  const message = 'The number of tags has reached the maximum limit.'
  throw new KmsError('LimitExceededException', message)
}

/** The tags without those of `keys`; a key that no tag has is ignored. */
function withoutTags(present: Tags, keys: readonly string[]): Tags {
  const removed = new Set(keys.map((key) => key.toLowerCase()))
  return present.filter(({ Key }) => !removed.has(Key.toLowerCase()))
}

function sameTags(one: Tags, other: Tags): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function add<N extends string>(name: string, on: Taggable<N>) {
  type Request = Named<N> & { readonly Tags: Tags }
  return {
    ...operationOn(on, name, { Tags: required(tags) }),
    context: ({ Tags }: Request) => requestTags(Tags),
    readOnly: false,
    audit: [on.member, 'Tags'] as const,
    throws: [
      ...new Set<ErrorCode>([...on.checkErrors, 'InvalidInputException']),
      'AccessDeniedException',
      'NoSuchEntityException',
      'LimitExceededException',
    ] satisfies ErrorCode[],
    check(input: Request) {
      on.check(input[on.member])
      checkTags(input.Tags)
    },
    run: (call: Call<Request, never>) =>
      on.retag(call, (present) => withTags(present, call.input.Tags)),
  }
}

function remove<N extends string>(name: string, on: Taggable<N>) {
  type Request = Named<N> & { readonly TagKeys: readonly string[] }
  return {
    ...operationOn(on, name, { TagKeys: required(tagKeys) }),
    context: ({ TagKeys }: Request) => (TagKeys.length === 0 ? {} : { 'aws:TagKeys': TagKeys }),
    readOnly: false,
    audit: [on.member, 'TagKeys'] as const,
    throws: [
      ...on.checkErrors,
      'AccessDeniedException',
      'NoSuchEntityException',
    ] satisfies ErrorCode[],
    check: (input: Request) => on.check(input[on.member]),
    run: (call: Call<Request, never>) =>
      on.retag(call, (present) => withoutTags(present, call.input.TagKeys)),
  }
}

function list<N extends string>(name: string, on: Taggable<N>) {
  type Request = Named<N> & { readonly Marker?: string; readonly MaxItems?: number }
  return {
    ...operationOn(on, name, { Marker: marker, MaxItems: maxItems }),
    readOnly: true,
    audit: [on.member, 'Marker', 'MaxItems'] as const,
    throws: [
      ...on.checkErrors,
      'AccessDeniedException',
      'NoSuchEntityException',
      'InvalidMarkerException',
    ] satisfies ErrorCode[],
    check: (input: Request) => on.check(input[on.member]),
    async run(call: Call<Request, never>, { store, pages }: OperationDependencies) {
      const { tags: present, scope } = await on.find(call, store)
      const { rows, paging } = await pageOf(present, ({ Key }) => Key, pages, {
        scope: [name, ...scope],
        marker: call.input.Marker,
        limit: call.input.MaxItems,
      })
      return { Tags: rows.map(({ Key, Value }) => ({ Key, Value })), ...paging }
    },
  }
}

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html */
export const tagUser = iamOperation<TagUserRequest, void>()(add('TagUser', taggableUsers))

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html */
export const tagRole = iamOperation<TagRoleRequest, void>()(add('TagRole', taggableRoles))

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html */
export const tagPolicy = iamOperation<TagPolicyRequest, void>()(add('TagPolicy', policies))

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagOpenIDConnectProvider.html */
export const tagOpenIdConnectProvider = iamOperation<TagOpenIDConnectProviderRequest, void>()(
  add('TagOpenIDConnectProvider', providers),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html */
export const untagUser = iamOperation<UntagUserRequest, void>()(remove('UntagUser', taggableUsers))

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html */
export const untagRole = iamOperation<UntagRoleRequest, void>()(remove('UntagRole', taggableRoles))

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html */
export const untagPolicy = iamOperation<UntagPolicyRequest, void>()(remove('UntagPolicy', policies))

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagOpenIDConnectProvider.html */
export const untagOpenIdConnectProvider = iamOperation<UntagOpenIDConnectProviderRequest, void>()(
  remove('UntagOpenIDConnectProvider', { ...providers, checkErrors: ['InvalidInputException'] }),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserTags.html */
export const listUserTags = iamOperation<ListUserTagsRequest, ListUserTagsResponse>()(
  list('ListUserTags', taggableUsers),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html */
export const listRoleTags = iamOperation<ListRoleTagsRequest, ListRoleTagsResponse>()(
  list('ListRoleTags', taggableRoles),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html */
export const listPolicyTags = iamOperation<ListPolicyTagsRequest, ListPolicyTagsResponse>()(
  list('ListPolicyTags', policies),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviderTags.html */
export const listOpenIdConnectProviderTags = iamOperation<
  ListOpenIDConnectProviderTagsRequest,
  ListOpenIDConnectProviderTagsResponse
>()(list('ListOpenIDConnectProviderTags', providers))
