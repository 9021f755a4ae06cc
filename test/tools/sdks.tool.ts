/** The AWS SDKs for Go, Java and Rust, each in a program that does one round trip. @module */
import { test } from 'node:test'
import { programsIn } from './programs.ts'
import { roundTrip } from './round-trip.ts'

const go = await programsIn('go')
const java = await programsIn('java')
const rust = await programsIn('rust')

test('the SDK for Go seals, opens, signs and is refused', { skip: go.skip }, (t) =>
  roundTrip(t, go, 'round-trip', 'Go'),
)

test('the SDK for Java seals, opens, signs and is refused', { skip: java.skip }, (t) =>
  roundTrip(t, java, `java -cp '${java.folder}/classes:${java.folder}/lib/*' RoundTrip`, 'Java'),
)

test('the SDK for Rust seals, opens, signs and is refused', { skip: rust.skip }, (t) =>
  roundTrip(t, rust, 'round-trip', 'Rust'),
)
