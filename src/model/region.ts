/**
 * Regions and their partitions: AWS's own, and those that an operator adds.
 * Source: `partitions.json` of botocore 1.44.5 (2026), without its `…-global` pseudo-Regions.
 * @module
 */

export interface Region {
  readonly name: string
  /** The second part of every ARN in the Region: `aws`, `aws-cn`, … */
  readonly partition: string
}

export interface RegionTable {
  /** Undefined for an unknown Region. */
  readonly partitionOf: (region: string) => string | undefined
  readonly names: readonly string[]
}

const regionsByPartition: Readonly<Record<string, string>> = {
  aws:
    'af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ' +
    'ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ' +
    'ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 ' +
    'eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 ' +
    'me-west-1 mx-central-1 sa-east-1 sa-west-1 us-east-1 us-east-2 us-west-1 us-west-2',
  'aws-cn': 'cn-north-1 cn-northwest-1',
  'aws-eusc': 'eusc-de-east-1',
  'aws-iso': 'us-iso-east-1 us-iso-west-1',
  'aws-iso-b': 'us-isob-east-1 us-isob-west-1',
  'aws-iso-e': 'eu-isoe-west-1',
  'aws-iso-f': 'us-isof-east-1 us-isof-south-1',
  'aws-us-gov': 'us-gov-east-1 us-gov-west-1',
}

const awsRegions: ReadonlyMap<string, string> = new Map(
  Object.entries(regionsByPartition).flatMap(([partition, names]) =>
    names.split(' ').map((name) => [name, partition] as const),
  ),
)

/** The Region that a partition's global services report as theirs. */
const globalRegions: ReadonlyMap<string, string> = new Map([
  ['aws', 'us-east-1'],
  ['aws-cn', 'cn-north-1'],
  ['aws-eusc', 'eusc-de-east-1'],
  ['aws-iso', 'us-iso-east-1'],
  ['aws-iso-b', 'us-isob-east-1'],
  ['aws-iso-e', 'eu-isoe-west-1'],
  ['aws-iso-f', 'us-isof-south-1'],
  ['aws-us-gov', 'us-gov-west-1'],
])

/**
 * The Region in which IAM events are recorded. In an operator's own partition, it is the Region of
 * the call.
 */
export function globalRegionOf(scope: {
  readonly partition: string
  readonly region: string
}): string {
  return globalRegions.get(scope.partition) ?? scope.region
}

const additionsMax = 256
const nameCharsMax = 32
/** The pattern of `RegionType` in the KMS model. */
const namePattern = /^([a-z]+-){2,3}\d+$/
const partitionPattern = /^[a-z]+(-[a-z0-9]+)*$/

/** AWS's table together with `additions` (see {@link parseRegions}). */
export function createRegionTable(additions: readonly Region[] = []): RegionTable {
  const partitions = new Map(awsRegions)
  for (const { name, partition } of additions) partitions.set(name, partition)
  return { partitionOf: (region) => partitions.get(region), names: [...partitions.keys()] }
}

/**
 * Reads an operator's own Regions: `name` or `name:partition`, separated by commas. The default
 * partition is `aws`. One of AWS's Regions may be listed, but only with its own partition.
 * @throws {Error} with a one-line message for the operator
 */
export function parseRegions(text: string): readonly Region[] {
  if (text.trim() === '') return []
  const items = text.split(',')
  if (items.length > additionsMax) throw new Error(`more than ${additionsMax} Regions`)
  const regions = items.map((item) => parseRegion(item.trim()))
  const seen = new Set<string>()
  for (const { name } of regions) {
    if (seen.has(name)) throw new Error(`the Region \`${name}\` is named twice`)
    seen.add(name)
  }
  return regions
}

function parseRegion(item: string): Region {
  const [name = '', partition = 'aws', ...rest] = item.split(':')
  if (rest.length > 0) throw new Error(`\`${item}\` is not \`name\` or \`name:partition\``)
  if (name.length > nameCharsMax || !namePattern.test(name)) {
    throw new Error(`\`${name}\` is not a Region name such as \`eu-home-1\``)
  }
  if (partition.length > nameCharsMax || !partitionPattern.test(partition)) {
    throw new Error(`\`${partition}\` is not a partition such as \`aws\``)
  }
  const known = awsRegions.get(name)
  if (known !== undefined && known !== partition) {
    throw new Error(`the Region \`${name}\` belongs to the partition \`${known}\``)
  }
  return { name, partition }
}
