/**
 * ListOpenIDConnectProviderTags — the tags of a provider by key.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviderTags.html
 * @module
 */
import type {
  ListOpenIDConnectProviderTagsRequest,
  ListOpenIDConnectProviderTagsResponse,
} from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { marker, maxItems } from './members.ts'
import {
  checkProviderArn,
  oidcProviderOf,
  providerArn,
  providerPermission,
} from './oidc-provider.ts'
import { pageOf } from './page.ts'

export const listOpenIdConnectProviderTags = iamOperation<
  ListOpenIDConnectProviderTagsRequest,
  ListOpenIDConnectProviderTagsResponse
>()({
  name: 'ListOpenIDConnectProviderTags',
  input: { OpenIDConnectProviderArn: required(providerArn), Marker: marker, MaxItems: maxItems },
  permissions: ({ OpenIDConnectProviderArn: arn }) =>
    providerPermission('iam:ListOpenIDConnectProviderTags', arn),
  readOnly: true,
  audit: ['OpenIDConnectProviderArn', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check: ({ OpenIDConnectProviderArn: arn }) => checkProviderArn(arn),
  async run(call, { store, pages }) {
    const { input } = call
    const { accountId, name, tags } = await oidcProviderOf(
      input.OpenIDConnectProviderArn,
      call,
      store,
    )
    const { rows, paging } = await pageOf(tags, ({ Key }) => Key, pages, {
      scope: ['ListOpenIDConnectProviderTags', accountId, name],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    return { Tags: rows.map(({ Key, Value }) => ({ Key, Value })), ...paging }
  },
})
