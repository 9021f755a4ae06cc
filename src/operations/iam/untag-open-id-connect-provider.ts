/**
 * UntagOpenIDConnectProvider — takes tags from a provider; keys of none are no failure.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagOpenIDConnectProvider.html
 * @module
 */
import type { UntagOpenIDConnectProviderRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { sameTags, withoutTags } from './identity-tags.ts'
import { tagKeys } from './members.ts'
import {
  checkProviderArn,
  oidcProviderOf,
  providerArn,
  providerPermission,
} from './oidc-provider.ts'

export const untagOpenIdConnectProvider = iamOperation<UntagOpenIDConnectProviderRequest, void>()({
  name: 'UntagOpenIDConnectProvider',
  input: { OpenIDConnectProviderArn: required(providerArn), TagKeys: required(tagKeys) },
  permissions: ({ OpenIDConnectProviderArn: arn }) =>
    providerPermission('iam:UntagOpenIDConnectProvider', arn),
  context: ({ TagKeys }) => (TagKeys.length === 0 ? {} : { 'aws:TagKeys': TagKeys }),
  readOnly: false,
  audit: ['OpenIDConnectProviderArn', 'TagKeys'],
  throws: ['InvalidInputException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ OpenIDConnectProviderArn: arn }) => checkProviderArn(arn),
  async run(call) {
    await call.commit(async (transaction) => {
      const { OpenIDConnectProviderArn: arn, TagKeys } = call.input
      const provider = await oidcProviderOf(arn, call, transaction)
      const changed = withoutTags(provider.tags, TagKeys)
      if (sameTags(provider.tags, changed)) return
      await transaction.updateOidcProvider(provider, { tags: changed })
    })
  },
})
