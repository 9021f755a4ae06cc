/** Who lives through the year: keys of each kind, and what happens to them, each within days that a seed chooses. */
import type { Given } from '../lifecycle/life-calls.ts'
import type { Kind } from '../lifecycle/life-model.ts'
import { places, type KeyRegion } from '../lifecycle/lives.ts'

/** A call, on a day between the first two, behind all lines before it. */
export type Line = readonly [
  from: number,
  until: number,
  call: string,
  given?: Given & { readonly place?: KeyRegion; readonly lastsDays?: number },
]

export interface Character {
  readonly name: string
  readonly kind: Kind
  readonly lines: readonly Line[]
}

const [, east, far] = places
const symmetric = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' } as const
const made: Kind = { ...symmetric, origin: 'AWS_KMS', multiRegion: false }
const imported: Kind = { ...symmetric, origin: 'EXTERNAL', multiRegion: false }
const NEW = 'NEW_KEY_MATERIAL'

const rotated: readonly Character[] = [
  { name: 'yearly', kind: made, lines: [[0, 3, 'EnableKeyRotation']] },
  {
    name: 'quarterly, and on demand in between',
    kind: made,
    lines: [
      [0, 5, 'EnableKeyRotation', { days: 90 }],
      [20, 80, 'RotateKeyOnDemand'],
      [120, 170, 'RotateKeyOnDemand'],
      [190, 200, 'EnableKeyRotation', { days: 100 }],
      [310, 320, 'DisableKeyRotation'],
      [330, 360, 'RotateKeyOnDemand'],
    ],
  },
  {
    name: 'disabled over its rotation',
    kind: made,
    lines: [
      [0, 10, 'EnableKeyRotation', { days: 90 }],
      [60, 85, 'DisableKey'],
      [60, 99, 'RotateKeyOnDemand'],
      [105, 150, 'EnableKey'],
      [160, 170, 'DisableKey'],
      // More than a period late.
      [352, 368, 'EnableKey'],
    ],
  },
  {
    name: 'waiting for its deletion over its rotation',
    kind: made,
    lines: [
      [0, 10, 'EnableKeyRotation', { days: 95 }],
      [85, 92, 'ScheduleKeyDeletion', { days: 30 }],
      [108, 113, 'CancelKeyDeletion'],
      [118, 130, 'EnableKey'],
      [300, 320, 'ScheduleKeyDeletion', { days: 9 }],
    ],
  },
  {
    name: 'on demand',
    kind: made,
    lines: [
      [1, 30, 'RotateKeyOnDemand'],
      [31, 60, 'RotateKeyOnDemand'],
      [31, 60, 'RotateKeyOnDemand'],
      [100, 200, 'ScheduleKeyDeletion', { days: 7 }],
      [100, 200, 'RotateKeyOnDemand'],
    ],
  },
  {
    name: 'saved from its deletion, and deleted',
    kind: made,
    lines: [
      [5, 50, 'DisableKey'],
      [51, 60, 'ScheduleKeyDeletion', { days: 30 }],
      [51, 60, 'ScheduleKeyDeletion', { days: 7 }],
      [75, 80, 'CancelKeyDeletion'],
      [75, 80, 'CancelKeyDeletion'],
      [81, 100, 'EnableKey'],
      [150, 250, 'ScheduleKeyDeletion', { days: 11 }],
      [300, 310, 'CancelKeyDeletion'],
    ],
  },
]

/** What befalls a key whose material does not change. */
const plainLines: readonly Line[] = [
  [20, 80, 'DisableKey'],
  [20, 80, 'EnableKeyRotation'],
  [81, 140, 'EnableKey'],
  [160, 200, 'ScheduleKeyDeletion', { days: 30 }],
  [201, 205, 'CancelKeyDeletion'],
  [210, 260, 'EnableKey'],
]
const plain = (spec: Kind['spec'], usage: Kind['usage'], multiRegion = false): Kind => ({
  spec,
  usage,
  origin: 'AWS_KMS',
  multiRegion,
})
const gone: Line = [280, 330, 'ScheduleKeyDeletion', { days: 14 }]

const pairs: readonly Character[] = (
  [
    ['RSA_2048', 'SIGN_VERIFY', []],
    ['RSA_2048', 'ENCRYPT_DECRYPT', [gone]],
    ['ECC_NIST_P256', 'SIGN_VERIFY', [gone]],
    ['ECC_NIST_P256', 'KEY_AGREEMENT', [gone]],
    ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY', []],
    ['ML_DSA_44', 'SIGN_VERIFY', [gone]],
    ['ML_KEM_512', 'ENCAPSULATE_DECAPSULATE', []],
    ['HMAC_256', 'GENERATE_VERIFY_MAC', [gone]],
  ] as const
).map(([spec, usage, more]) => ({
  name: `${spec} for ${usage}`,
  kind: plain(spec, usage),
  lines: [...plainLines, ...more],
}))

/** Of a key that has one material for its life. */
const importedLines: readonly Line[] = [
  [0, 5, 'ImportKeyMaterial', { material: 'A', lastsDays: 40 }],
  [20, 30, 'ImportKeyMaterial', { material: 'B' }],
  // It has expired meanwhile.
  [70, 90, 'ImportKeyMaterial', { material: 'A', lastsDays: 60 }],
  [91, 110, 'ImportKeyMaterial', { material: 'A', lastsDays: 100 }],
  [120, 150, 'DeleteImportedKeyMaterial'],
  [120, 150, 'DeleteImportedKeyMaterial'],
  [160, 170, 'ImportKeyMaterial', { material: 'A' }],
  [180, 190, 'DisableKey'],
  [191, 200, 'ImportKeyMaterial', { material: 'A', lastsDays: 90 }],
  [220, 260, 'ScheduleKeyDeletion', { days: 30 }],
]

const importing: readonly Character[] = [
  ...(
    [
      ['HMAC_256', 'GENERATE_VERIFY_MAC'],
      ['RSA_2048', 'SIGN_VERIFY'],
      ['ECC_NIST_P256', 'SIGN_VERIFY'],
    ] as const
  ).map(([spec, usage]) => ({
    name: `imported ${spec}`,
    kind: { spec, usage, origin: 'EXTERNAL', multiRegion: false } as const,
    lines: importedLines,
  })),
  {
    name: 'imported, and its material expires',
    kind: imported,
    lines: [
      ...importedLines,
      [265, 268, 'CancelKeyDeletion'],
      [268, 270, 'ImportKeyMaterial', { material: 'A' }],
    ],
  },
  {
    name: 'imported, with several materials',
    kind: imported,
    lines: [
      [0, 2, 'RotateKeyOnDemand'],
      [0, 5, 'ImportKeyMaterial', { material: 'A', lastsDays: 365 }],
      [6, 20, 'ImportKeyMaterial', { material: 'B', type: NEW }],
      [6, 20, 'ImportKeyMaterial', { material: 'C', type: NEW }],
      [21, 40, 'RotateKeyOnDemand'],
      [41, 50, 'ImportKeyMaterial', { material: 'C', type: NEW, lastsDays: 10 }],
      // It has expired while it waited, and so does the key.
      [70, 80, 'RotateKeyOnDemand'],
      [81, 90, 'ImportKeyMaterial', { material: 'C', lastsDays: 200 }],
      [100, 120, 'DeleteImportedKeyMaterial', { material: 'A' }],
      [130, 140, 'ImportKeyMaterial', { material: 'A', lastsDays: 150 }],
      [150, 160, 'ImportKeyMaterial', { material: 'D', type: NEW }],
      [161, 170, 'DeleteImportedKeyMaterial', { material: 'D' }],
      [171, 180, 'ImportKeyMaterial', { material: 'D', type: NEW }],
      [181, 200, 'RotateKeyOnDemand'],
      [310, 320, 'ImportKeyMaterial', { material: 'A' }],
      [321, 330, 'ImportKeyMaterial', { material: 'C' }],
    ],
  },
]

const regional: readonly Character[] = [
  {
    name: 'in three Regions',
    kind: { ...made, multiRegion: true },
    lines: [
      [0, 10, 'EnableKeyRotation', { days: 90 }],
      [5, 20, 'ReplicateKey', { to: east }],
      [15, 40, 'ReplicateKey', { to: far }],
      [41, 60, 'EnableKeyRotation', { place: east }],
      [61, 80, 'DisableKey', { place: far }],
      [110, 120, 'UpdatePrimaryRegion', { to: far }],
      [110, 120, 'UpdatePrimaryRegion', { to: east }],
      [121, 140, 'RotateKeyOnDemand', { place: east }],
      [141, 150, 'EnableKey', { place: far }],
      [151, 160, 'ScheduleKeyDeletion', { place: far, days: 7 }],
      [170, 180, 'ScheduleKeyDeletion', { place: east, days: 12 }],
      [181, 190, 'CancelKeyDeletion', { place: east }],
      [191, 199, 'EnableKey', { place: east }],
      [200, 210, 'ReplicateKey', { place: east, to: far }],
      [211, 220, 'DisableKeyRotation', { place: east }],
      [230, 240, 'ScheduleKeyDeletion', { place: east, days: 12 }],
      [241, 250, 'ScheduleKeyDeletion', { days: 30 }],
      [251, 260, 'ScheduleKeyDeletion', { place: far, days: 7 }],
    ],
  },
  {
    name: 'imported in two Regions',
    kind: { ...imported, multiRegion: true },
    lines: [
      [0, 5, 'ImportKeyMaterial', { material: 'A' }],
      [6, 20, 'ReplicateKey', { to: east }],
      [21, 30, 'ImportKeyMaterial', { place: east, material: 'A', lastsDays: 120 }],
      [31, 40, 'ImportKeyMaterial', { material: 'B', type: NEW }],
      [31, 40, 'RotateKeyOnDemand'],
      [41, 50, 'ImportKeyMaterial', { place: east, material: 'B' }],
      [51, 60, 'RotateKeyOnDemand'],
      [61, 80, 'DeleteImportedKeyMaterial', { place: east, material: 'B' }],
      [81, 100, 'ImportKeyMaterial', { place: east, material: 'B' }],
      [101, 120, 'UpdatePrimaryRegion', { to: east }],
      [160, 180, 'ImportKeyMaterial', { place: east, material: 'A' }],
      [181, 200, 'ImportKeyMaterial', { place: east, material: 'C', type: NEW }],
      [201, 210, 'ImportKeyMaterial', { material: 'C', lastsDays: 60 }],
      [211, 220, 'RotateKeyOnDemand', { place: east }],
      [240, 250, 'ScheduleKeyDeletion', { days: 20 }],
    ],
  },
  {
    name: 'HMAC in two Regions',
    kind: plain('HMAC_256', 'GENERATE_VERIFY_MAC', true),
    lines: [
      [3, 50, 'ReplicateKey', { to: far }],
      [60, 90, 'ScheduleKeyDeletion', { place: far, days: 7 }],
      [60, 90, 'ReplicateKey', { to: far }],
      [110, 200, 'ReplicateKey', { to: far }],
      [201, 210, 'UpdatePrimaryRegion', { to: far }],
      [250, 300, 'ScheduleKeyDeletion', { place: far, days: 8 }],
      [310, 340, 'ScheduleKeyDeletion', { days: 8 }],
    ],
  },
]

export const characters: readonly Character[] = [...rotated, ...pairs, ...importing, ...regional]
