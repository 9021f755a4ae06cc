/** Text of trails. @module */

export const trailsText = {
  title: 'Trails',
  hint: 'Where the records of this account’s calls are delivered. Activity shows the calls themselves.',
  failed: 'The trails could not be listed',
  empty: 'No trail covers this Region.',
  emptyHint:
    'Operators give every account a trail with TRENT_AUDIT_DIR or TRENT_S3_ENDPOINT. An account creates its own with:',
  createCommand: 'aws cloudtrail create-trail --name NAME --s3-bucket-name BUCKET',
  columns: {
    name: 'Name',
    logging: 'Logging',
    bucket: 'Delivers to',
    records: 'Records',
    delivered: 'Last delivery',
    digest: 'Last digest',
    homeRegion: 'Home Region',
  },
  on: 'On',
  off: 'Off',
  failing: 'On, but deliveries fail',
  notShown: 'Not shown:',
  never: 'None yet',
  noDigests: 'Off',
  allRegions: 'All Regions',
  oneRegion: (region: string): string => `Only ${region}`,
  selected: 'some calls',
  noGlobal: 'without IAM and STS',
} as const
