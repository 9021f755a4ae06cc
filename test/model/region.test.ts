import assert from 'node:assert/strict'
import test from 'node:test'
import { createRegionTable, parseRegions } from '../../src/model/region.ts'

test('Regions of AWS are in their partitions', () => {
  const { partitionOf } = createRegionTable()
  const expected = {
    'us-east-1': 'aws',
    'ap-southeast-7': 'aws',
    'ap-east-2': 'aws',
    'mx-central-1': 'aws',
    'cn-northwest-1': 'aws-cn',
    'us-gov-west-1': 'aws-us-gov',
    'us-iso-east-1': 'aws-iso',
    'us-isob-west-1': 'aws-iso-b',
    'eu-isoe-west-1': 'aws-iso-e',
    'us-isof-south-1': 'aws-iso-f',
    'eusc-de-east-1': 'aws-eusc',
  }
  for (const [region, partition] of Object.entries(expected)) {
    assert.equal(partitionOf(region), partition, region)
  }
})

test('a Region that is in no table has no partition, whatever objects inherit', () => {
  const { partitionOf } = createRegionTable()
  for (const region of ['eu-east-9', '', 'aws-global', 'US-EAST-1', 'constructor', '__proto__']) {
    assert.equal(partitionOf(region), undefined, region)
  }
})

test('an operator adds Regions, with or without a partition', () => {
  const regions = parseRegions('eu-home-1, moon-north-2:aws-moon ,us-gov-east-1:aws-us-gov')
  assert.deepEqual(regions, [
    { name: 'eu-home-1', partition: 'aws' },
    { name: 'moon-north-2', partition: 'aws-moon' },
    { name: 'us-gov-east-1', partition: 'aws-us-gov' },
  ])
  const { partitionOf } = createRegionTable(regions)
  assert.equal(partitionOf('eu-home-1'), 'aws')
  assert.equal(partitionOf('moon-north-2'), 'aws-moon')
  assert.equal(partitionOf('us-west-2'), 'aws')
  assert.equal(createRegionTable().partitionOf('eu-home-1'), undefined)
})

test('no text adds no Region', () => {
  assert.deepEqual(parseRegions(''), [])
  assert.deepEqual(parseRegions('  '), [])
})

test('a wrong list of Regions is refused in one clear line', () => {
  const refusals: Readonly<Record<string, string>> = {
    Home: '`Home` is not a Region name such as `eu-home-1`',
    'home-1': '`home-1` is not a Region name such as `eu-home-1`',
    'eu-home-1,': '`` is not a Region name such as `eu-home-1`',
    'eu-home-1:': '`` is not a partition such as `aws`',
    'eu-home-1:AWS': '`AWS` is not a partition such as `aws`',
    'eu-home-1:aws:x': '`eu-home-1:aws:x` is not `name` or `name:partition`',
    'eu-home-1,eu-home-1:aws-x': 'the Region `eu-home-1` is named twice',
    'cn-north-1': 'the Region `cn-north-1` belongs to the partition `aws-cn`',
    'us-east-1:aws-cn': 'the Region `us-east-1` belongs to the partition `aws`',
  }
  for (const [text, message] of Object.entries(refusals)) {
    assert.throws(() => parseRegions(text), { message }, text)
  }
  const many = Array.from({ length: 257 }, (_, index) => `eu-home-${index}`).join(',')
  assert.throws(() => parseRegions(many), { message: 'more than 256 Regions' })
})
