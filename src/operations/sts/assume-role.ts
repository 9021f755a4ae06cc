/**
 * AssumeRole — issues temporary credentials of a role to callers that its trust policy allows.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @module
 */
import assert from 'node:assert/strict'
import type { AssumeRoleRequest, AssumeRoleResponse } from '@aws-sdk/client-sts'
import { KmsError } from '../../errors.ts'
import type { Caller } from '../../model/caller.ts'
import type { IdentityTag } from '../../model/identity.ts'
import type { RoleRecord } from '../../model/role.ts'
import type { Session } from '../../model/session.ts'
import { required } from '../../model/shape.ts'
import { checkTags } from '../iam/members.ts'
import { stsOperation } from '../contract/query-operation.ts'
import { assumedRoleUser, auditedSession, requireRoleDuration } from './assumed-role.ts'
import { expiry } from './lifetime.ts'
import {
  externalId,
  policyArns,
  providedContexts,
  refuseMfa,
  roleArn,
  roleSeconds,
  serialNumber,
  sessionName,
  sessionPolicy,
  sessionTags,
  tagKeys,
  tokenSize,
  tokenCode,
} from './members.ts'
import { checkRoleSessionPolicy } from '../iam/identity-policy.ts'
import { makeSession, sessionPolicies, tagContext } from './new-session.ts'

/** Longest session when a role session assumes another role, in seconds. */
const chainedSecondsMax = 3600

interface Given {
  readonly Tags?: readonly IdentityTag[]
  readonly TransitiveTagKeys?: readonly string[]
  readonly SourceIdentity?: string
}

export const assumeRole = stsOperation<AssumeRoleRequest, AssumeRoleResponse>()({
  name: 'AssumeRole',
  input: {
    RoleArn: required(roleArn),
    RoleSessionName: required(sessionName),
    PolicyArns: policyArns,
    Policy: sessionPolicy,
    DurationSeconds: roleSeconds,
    Tags: sessionTags,
    TransitiveTagKeys: tagKeys,
    ExternalId: externalId,
    SerialNumber: serialNumber,
    TokenCode: tokenCode,
    SourceIdentity: sessionName,
    ProvidedContexts: providedContexts,
    MinimumSessionTokenSize: tokenSize,
  },
  assumes: {
    from: 'RoleArn',
    actions: ({ Tags = [], SourceIdentity }: Given, { session }) => [
      'sts:AssumeRole',
      ...(Tags.length > 0 ? ['sts:TagSession'] : []),
      ...((SourceIdentity ?? session?.sourceIdentity) === undefined
        ? []
        : ['sts:SetSourceIdentity']),
    ],
  },
  context: ({ ExternalId, RoleSessionName, SourceIdentity, Tags, TransitiveTagKeys }) => ({
    'sts:ExternalId': ExternalId,
    'sts:RoleSessionName': RoleSessionName,
    'sts:SourceIdentity': SourceIdentity,
    ...tagContext(Tags, TransitiveTagKeys),
  }),
  readOnly: true,
  audit: [
    'RoleArn',
    'RoleSessionName',
    'PolicyArns',
    'Policy',
    'DurationSeconds',
    'Tags',
    'TransitiveTagKeys',
    'ExternalId',
    'SerialNumber',
    'SourceIdentity',
  ],
  auditResponse: auditedSession,
  throws: [
    'ValidationException',
    'InvalidInputException',
    'UnsupportedOperationException',
    'AccessDeniedException',
    'MalformedPolicyDocumentException',
    'NoSuchEntityException',
    'PackedPolicyTooLargeException',
  ],
  check(input) {
    refuseMfa(input)
    checkTags(input.Tags)
    if ((input.ProvidedContexts?.length ?? 0) > 0) {
      throw new KmsError('UnsupportedOperationException', 'ProvidedContexts are not supported')
    }
  },
  async run({ input, caller, partition, assumed }, dependencies) {
    assert(assumed, 'the pipeline has found the role that it let the caller assume')
    const { record, arn } = assumed
    const issuedAt = dependencies.clock.now()
    const { accountId } = record
    const owner = { accountId, partition }
    const limits = await sessionPolicies(input, owner, dependencies, checkRoleSessionPolicy)
    const seconds = requireDuration(input.DurationSeconds, record, caller.session)
    const { RoleSessionName: name } = input
    const session: Session = {
      kind: 'role',
      accountId: record.accountId,
      principalId: record.roleId,
      name,
      issuedAt,
      expiresAt: expiry(issuedAt, seconds),
      ...sourceOf(caller),
      chained: caller.session?.kind === 'role',
      ...limits,
      ...inherited(input, caller.session),
    }
    const made = makeSession(dependencies, session, input.MinimumSessionTokenSize)
    const { sourceIdentity } = session
    return {
      ...made,
      ...assumedRoleUser(record, arn, name),
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    }
  },
})

/**
 * The long-term access key that the session depends on: the signing one, or that of the caller's session.
 */
function sourceOf({ session, accessKeyId }: Caller): Pick<Session, 'sourceAccessKeyId'> {
  const source = session === undefined ? accessKeyId : session.sourceAccessKeyId
  return source === undefined ? {} : { sourceAccessKeyId: source }
}

/** @throws {KmsError} `ValidationException` */
function requireDuration(
  asked: number | undefined,
  role: RoleRecord,
  session: Session | undefined,
): number {
  const seconds = requireRoleDuration(asked, role)
  if (session?.kind === 'role' && seconds > chainedSecondsMax) {
    throw new KmsError(
      'ValidationException',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role ' +
        'chaining.',
    )
  }
  return seconds
}

/** A chained session inherits the transitive tags and the source identity, and cannot change them. */
function inherited(
  { Tags = [], TransitiveTagKeys = [], SourceIdentity }: Given,
  session: Session | undefined,
): Pick<Session, 'tags' | 'transitiveTagKeys' | 'sourceIdentity'> {
  const given = new Set(Tags.map(({ Key }) => Key.toLowerCase()))
  const handedOn = new Set(session?.transitiveTagKeys.map((key) => key.toLowerCase()))
  const from = session?.tags.filter(({ Key }) => handedOn.has(Key.toLowerCase())) ?? []
  if (from.some(({ Key }) => given.has(Key.toLowerCase()))) {
    throw new KmsError(
      'ValidationException',
      "One of the specified session tag keys can't be set because it conflicts with a transitive " +
        'tag key from the calling session.',
    )
  }
  const unknown = TransitiveTagKeys.find((key) => !given.has(key.toLowerCase()))
  if (unknown !== undefined) {
    throw new KmsError(
      'ValidationException',
      `The transitive tag key ${unknown} is no session tag.`,
    )
  }
  const before = session?.sourceIdentity
  if (before !== undefined && SourceIdentity !== undefined && SourceIdentity !== before) {
    throw new KmsError('ValidationException', 'The source identity of a session cannot be changed.')
  }
  const sourceIdentity = before ?? SourceIdentity
  return {
    tags: [...from, ...Tags],
    transitiveTagKeys: [...from.map(({ Key }) => Key), ...TransitiveTagKeys],
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  }
}
