/**
 * CreatePolicy — creates a managed policy in the account, with its first version.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
 * @module
 */
import type { CreatePolicyRequest, CreatePolicyResponse } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required, text } from '../../model/shape.ts'
import { identifierOf, uniqueIdCharacters } from '../../model/identity.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkManagedPolicy, taggedPolicy } from './managed-policy.ts'
import {
  checkName,
  checkPath,
  checkTags,
  path,
  policyDocument,
  policyName,
  tags,
} from './members.ts'
import { requestTags } from './shown-user.ts'
import { refuseTaken } from './taken-name.ts'

export const policiesMax = 1500

export const createPolicy = iamOperation<CreatePolicyRequest, CreatePolicyResponse>()({
  name: 'CreatePolicy',
  input: {
    PolicyName: required(policyName),
    Path: path,
    PolicyDocument: required(policyDocument),
    Description: text({ max: 1000 }),
    Tags: tags,
  },
  permissions: ({ PolicyName, Path = '/', Tags = [] }) =>
    ['iam:CreatePolicy', ...(Tags.length > 0 ? ['iam:TagPolicy'] : [])].map((action) => ({
      action,
      iamResource: `policy${Path}${PolicyName}`,
      shown: `policy ${PolicyName}`,
    })),
  context: ({ Tags }) => requestTags(Tags),
  readOnly: false,
  audit: ['PolicyName', 'Path', 'PolicyDocument', 'Description', 'Tags'],
  auditResponse: ({ Policy }) => ({ policy: Policy }),
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'MalformedPolicyDocumentException',
    'EntityAlreadyExistsException',
    'LimitExceededException',
  ],
  check({ PolicyName, Path, Tags }) {
    checkName('policyName', PolicyName)
    checkPath(Path)
    checkTags(Tags)
  },
  async run({ input, caller: { accountId }, partition, commit }, { clock, random }) {
    const { PolicyName: name, Path = '/', PolicyDocument: document, Description = '' } = input
    checkManagedPolicy(document)
    const now = clock.now()
    const policy = {
      policyId: identifierOf('ANPA', random.bytes(uniqueIdCharacters)),
      accountId,
      name,
      path: Path,
      description: Description,
      versions: [{ versionId: 'v1', document, createdAt: now }],
      defaultVersionId: 'v1',
      nextVersion: 2,
      attachments: 0,
      boundaries: 0,
      tags: input.Tags ?? [],
      createdAt: now,
      updatedAt: now,
    }
    return commit(async (transaction) => {
      if ((await transaction.countManagedPolicies(accountId)) >= policiesMax) {
        const message = `Cannot exceed quota for PoliciesPerAccount: ${policiesMax}`
        throw new KmsError('LimitExceededException', message)
      }
      const message = `A policy called ${name} already exists. Duplicate names are not allowed.`
      await refuseTaken(transaction.insertManagedPolicy(policy), message)
      return { Policy: taggedPolicy(partition, { ...policy, rowVersion: 1 }) }
    })
  },
})
