/**
 * GetPolicy — returns a managed policy, without its documents.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html
 * @module
 */
import type { GetPolicyRequest, GetPolicyResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkPolicyArn,
  managedPolicyOf,
  policyPermission,
  taggedPolicy,
} from './managed-policy.ts'
import { policyArn } from './members.ts'
import { countedPolicy } from './policy-holders.ts'

export const getPolicy = iamOperation<GetPolicyRequest, GetPolicyResponse>()({
  name: 'GetPolicy',
  input: { PolicyArn: required(policyArn) },
  permissions: ({ PolicyArn }) => policyPermission('iam:GetPolicy', PolicyArn),
  readOnly: true,
  audit: ['PolicyArn'],
  throws: ['InvalidInputException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ PolicyArn }) => checkPolicyArn(PolicyArn),
  async run(call, { store }) {
    const found = await managedPolicyOf(call.input.PolicyArn, call, store)
    const policy = await countedPolicy(found, call.caller.accountId, store)
    const Description = policy.description === '' ? undefined : policy.description
    return { Policy: { ...taggedPolicy(call.partition, policy), Description } }
  },
})
