/**
 * Parses and builds Amazon Resource Names.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 * @module
 */

export interface Arn {
  readonly partition: string
  readonly service: string
  readonly region: string
  readonly accountId: string
  /** Everything after the fifth colon, for example `key/1234…` or `alias/a`. */
  readonly resource: string
}

/** Splits an ARN, or returns undefined. Checks its form only. */
export function parseArn(text: string): Arn | undefined {
  const parts = text.split(':')
  if (parts.length < 6 || parts[0] !== 'arn') return undefined
  const [, partition = '', service = '', region = '', accountId = ''] = parts
  const resource = parts.slice(5).join(':')
  if (partition === '' || service === '' || resource === '') return undefined
  return { partition, service, region, accountId, resource }
}

export function formatArn(arn: Arn): string {
  return `arn:${arn.partition}:${arn.service}:${arn.region}:${arn.accountId}:${arn.resource}`
}
