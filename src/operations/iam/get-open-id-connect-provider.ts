/**
 * GetOpenIDConnectProvider — returns a provider with its audiences, thumbprints and tags.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html
 * @module
 */
import type {
  GetOpenIDConnectProviderRequest,
  GetOpenIDConnectProviderResponse,
} from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkProviderArn,
  oidcProviderOf,
  providerArn,
  providerPermission,
} from './oidc-provider.ts'

export const getOpenIdConnectProvider = iamOperation<
  GetOpenIDConnectProviderRequest,
  GetOpenIDConnectProviderResponse
>()({
  name: 'GetOpenIDConnectProvider',
  input: { OpenIDConnectProviderArn: required(providerArn) },
  permissions: ({ OpenIDConnectProviderArn: arn }) =>
    providerPermission('iam:GetOpenIDConnectProvider', arn),
  readOnly: true,
  audit: ['OpenIDConnectProviderArn'],
  throws: ['InvalidInputException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ OpenIDConnectProviderArn: arn }) => checkProviderArn(arn),
  async run(call, { store }) {
    const provider = await oidcProviderOf(call.input.OpenIDConnectProviderArn, call, store)
    const { name, clientIds, thumbprints, tags } = provider
    return {
      // Without its scheme, as AWS returns it.
      Url: name,
      ClientIDList: [...clientIds],
      ThumbprintList: [...thumbprints],
      CreateDate: new Date(provider.createdAt),
      ...(tags.length > 0 && { Tags: tags.map(({ Key, Value }) => ({ Key, Value })) }),
    }
  },
})
