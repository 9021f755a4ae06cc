/**
 * TagOpenIDConnectProvider — gives a provider tags, or their keys other values.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagOpenIDConnectProvider.html
 * @module
 */
import type { TagOpenIDConnectProviderRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { sameTags, withTags } from './identity-tags.ts'
import { checkTags, tags } from './members.ts'
import {
  checkProviderArn,
  oidcProviderOf,
  providerArn,
  providerPermission,
} from './oidc-provider.ts'
import { requestTags } from './shown-user.ts'

export const tagOpenIdConnectProvider = iamOperation<TagOpenIDConnectProviderRequest, void>()({
  name: 'TagOpenIDConnectProvider',
  input: { OpenIDConnectProviderArn: required(providerArn), Tags: required(tags) },
  permissions: ({ OpenIDConnectProviderArn: arn }) =>
    providerPermission('iam:TagOpenIDConnectProvider', arn),
  context: ({ Tags }) => requestTags(Tags),
  readOnly: false,
  audit: ['OpenIDConnectProviderArn', 'Tags'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'LimitExceededException',
  ],
  check({ OpenIDConnectProviderArn: arn, Tags }) {
    checkProviderArn(arn)
    checkTags(Tags)
  },
  async run(call) {
    await call.commit(async (transaction) => {
      const { OpenIDConnectProviderArn: arn, Tags } = call.input
      const provider = await oidcProviderOf(arn, call, transaction)
      const changed = withTags(provider.tags, Tags)
      if (sameTags(provider.tags, changed)) return
      await transaction.updateOidcProvider(provider, { tags: changed })
    })
  },
})
