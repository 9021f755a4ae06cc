/** Text of key material, rotations and imports. @module */

export const materialText = {
  rotation: 'Automatic rotation',
  rotationOn: (days: number): string => `On, every ${days} days`,
  rotationOff: 'Off',
  next: 'Next rotation',
  editRotation: 'Edit',
  rotateNow: 'Rotate now',
  rotateHint:
    'New key material encrypts from now on. Older material still decrypts what it has encrypted.',
  rotating: 'The key rotates. It takes a moment.',
  box: 'Automatically rotate this KMS key',
  period: 'Rotation period (in days)',
  periodHint: 'From 90 to 2560',
  periodWrong: 'Enter a whole number from 90 to 2560',
  noRotation: 'Keys of this kind do not rotate automatically.',
  failed: 'The rotations could not be read',
  materials: 'Key materials',
  id: 'Key material ID',
  state: 'State',
  when: 'Rotation date',
  how: 'Rotation type',
  expires: 'Expiration date',
  importState: 'Import state',
  none: 'No key material yet.',
  import: 'Import key material',
  remove: 'Delete key material',
  removeBody:
    'Data that was encrypted under this material cannot be decrypted until you import the same material again.',
  removed: 'The key material is deleted',
  file: 'File with the key material',
  fileHint: {
    symmetric: '32 bytes, not encoded',
    hmac: 'The secret bytes, not encoded, as long as the key spec says',
    asymmetric: 'The private key as PKCS #8, in DER or PEM',
  },
  private:
    'The browser wraps the key material under a public key of this server. The file never leaves the browser unwrapped.',
  expiry: 'Key material expires',
  expiresAt: 'Expires at',
  expiresHint: 'Your local time, for example 2027-01-31 12:00',
  expiryWrong: 'Enter a time in the future',
  imported: 'The key material is imported',
  notImported: 'The key material was not imported',
  wrongLength: (bytes: number, wanted: number): string =>
    `The file has ${bytes} bytes, but the key needs ${wanted}.`,
  badFile: 'The file is no private key in PKCS #8.',
  tooLong: 'The file is too large to be a key.',
  newMaterial: 'New key material for a rotation',
  newMaterialHint:
    'It becomes current when you rotate the key. Leave this off to import material again that was deleted or expired.',
} as const
