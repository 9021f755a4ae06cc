/** How often a key was used, in the console: read to the last page, and refused in AWS's words. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CloudWatchClient, ListMetricsCommand, type Metric } from '@aws-sdk/client-cloudwatch'
import { CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import type { Page, Route } from 'playwright-core'
import { openIdentities } from '../compat/identities.ts'
import { having, watchClient } from '../compat/watching.ts'
import { accountId, region } from '../harness.ts'
import { openPage, signIn, until, workplace, type Workplace } from './browser.ts'

const { get } = workplace()
const panel = 'Successful requests of the last 24 hours'

interface UsedKey {
  readonly id: string
  readonly arn: string
}

/** A key with one call that CloudWatch has counted. */
async function usedKey({ server }: Workplace, watch: CloudWatchClient): Promise<UsedKey> {
  const kms = server.client()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand())
  const { KeyId: id = '', Arn: arn = '' } = KeyMetadata ?? {}
  await kms.send(new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('x') }))
  const Dimensions = having({ KeyArn: arn, Operation: 'Encrypt' })
  const metric = { Namespace: 'AWS/KMS', MetricName: 'SuccessfulRequest', Dimensions }
  await until(async () => {
    const { Metrics = [] } = await watch.send(new ListMetricsCommand(metric))
    return Metrics.length > 0
  })
  return { id, arn }
}

/** Metrics that nothing was counted in. */
function emptyMetrics(arn: string, count: number): readonly Metric[] {
  return Array.from({ length: count }, (_, index) => ({
    Namespace: 'AWS/KMS',
    MetricName: 'SuccessfulRequest',
    Dimensions: having({ KeyArn: arn, Operation: `None${index}` }),
  }))
}

/** Puts a page before each last page: 500 metrics without values, and results of none. */
async function addPages(page: Page, arn: string): Promise<{ readonly asked: readonly string[] }> {
  const asked: string[] = []
  const later = new Map<string, object>()
  const answer = async (route: Route): Promise<void> => {
    const target = route.request().headers()['x-amz-target']?.split('.').at(-1)
    if (target !== 'ListMetrics' && target !== 'GetMetricData') return route.continue()
    const { NextToken, ...input } = route.request().postDataJSON() as {
      readonly NextToken?: string
      readonly Dimensions?: readonly { readonly Name: string }[]
      readonly MetricDataQueries?: readonly object[]
    }
    const dimension = input.Dimensions?.[0]?.Name
    const what = dimension ?? input.MetricDataQueries?.length
    asked.push(`${target} ${what} ${NextToken ?? 'first'}`)
    const known = NextToken === undefined ? undefined : later.get(NextToken)
    if (known !== undefined) return route.fulfill({ json: known })
    const response = await route.fetch()
    if (target === 'ListMetrics' && dimension !== 'KeyArn') return route.fulfill({ response })
    const token = `${target} ${asked.length}`
    later.set(token, (await response.json()) as object)
    const Metrics = target === 'ListMetrics' ? emptyMetrics(arn, 500) : []
    return route.fulfill({ json: { Metrics, MetricDataResults: [], NextToken: token } })
  }
  await page.route('**/', answer)
  return { asked }
}

test('the requests of a key are read to the last page, 500 metrics a call', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { id, arn } = await usedKey(place, watchClient(t, place.server))
  const { page } = await openPage(place)
  await signIn(page, place)
  const { asked } = await addPages(page, arn)
  await page.goto(`${place.server.url}/console/#/${region}/keys/${id}/usage`)
  const chart = page.getByRole('application', { name: panel })
  await chart.waitFor()
  // The legend has what was counted, and no metric without values.
  await page.getByText('Encrypt', { exact: true }).first().waitFor()
  assert.equal(await page.getByText(/^None/).count(), 0)
  const sizes = asked.filter((each) => each.endsWith('first')).toSorted()
  assert.deepEqual(sizes, [
    'GetMetricData 1 first',
    'GetMetricData 500 first',
    'ListMetrics DestinationKeyArn first',
    'ListMetrics KeyArn first',
    'ListMetrics SourceKeyArn first',
  ])
  const further = asked.filter((each) => !each.endsWith('first'))
  assert.equal(further.length, 3, 'a second page each')
})

test('a user whom CloudWatch refuses sees why, and the rest of the usage', async (t) => {
  const workplaces = get(t)
  if (workplaces === undefined) return
  const { server, newUser } = await openIdentities(t)
  const place = { browser: workplaces.browser, server }
  const { id } = await usedKey(place, watchClient(t, server))
  const Action = ['kms:*', 'cloudtrail:*', 'cloudwatch:ListMetrics']
  const user = await newUser('dora', { Effect: 'Allow', Action, Resource: '*' })
  const { page, expect } = await openPage(place)
  expect(/status of 40[03]/)
  await signIn(page, place, user.credentials, `keys/${id}/usage`)
  await page.getByText('The requests could not be read from CloudWatch').waitFor()
  await page.getByText('AccessDenied', { exact: true }).waitFor()
  await page
    .getByText(
      `User: arn:aws:iam::${accountId}:user/dora is not authorized to perform: cloudwatch:GetMetricData`,
    )
    .waitFor()
  await page.getByText(/^Request id [\da-f-]{36}$/).waitFor()
  await page.getByText('Latest calls with this key').waitFor()
  const tab = page.getByRole('tabpanel', { name: 'Usage' })
  await tab.getByRole('link', { name: 'Why was this denied?' }).click()
  await page.waitForURL(/why\?request=[\da-f-]{36}$/)
})
