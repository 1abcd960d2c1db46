import descriptor from 'protobufjs/ext/descriptor/index.js'
import { expect, test } from 'vitest'
import { reflectedDefinition } from './proto.ts'

interface File {
  readonly name: string
  readonly package: string
  readonly dependency: readonly string[]
  readonly messageType: readonly Message[]
  readonly enumType: readonly { readonly name: string }[]
}

interface Message {
  readonly name: string
  readonly field: readonly { readonly name: string; readonly typeName: string }[]
  readonly nestedType: readonly Message[]
  readonly enumType: readonly { readonly name: string }[]
  readonly options?: { readonly mapEntry: boolean }
}

const files = Object.values(reflectedDefinition)
  .flatMap(part => part.fileDescriptorProtos as Buffer[])
  .map(bytes => descriptor.FileDescriptorProto.decode(bytes) as unknown as File)

function withNested(messages: readonly Message[], scope: string): [name: string, message: Message][] {
  return messages.flatMap(message => {
    const name = `${scope}.${message.name}`
    return [[name, message] as [string, Message], ...withNested(message.nestedType, name)]
  })
}

/** Full names of all types that a file has. */
const typesOf = (file: File) => [
  ...withNested(file.messageType, `.${file.package}`).flatMap(([scope, { enumType }]) => [
    scope,
    ...enumType.map(({ name }) => `${scope}.${name}`),
  ]),
  ...file.enumType.map(({ name }) => `.${file.package}.${name}`),
]

test('reflection tells of files that can be linked: every type by its full name, in the file or in one that it imports', () => {
  expect(files.map(file => file.package).sort()).toEqual(['chart.v1', 'google.protobuf', 'grpc.health.v1'])
  for (const file of files) {
    const reached = files.filter(({ name }) => name === file.name || file.dependency.includes(name))
    expect(reached.length).toBe(1 + file.dependency.length)
    const types = new Set(reached.flatMap(typesOf))
    for (const [name, { field }] of withNested(file.messageType, `.${file.package}`)) {
      for (const { name: of, typeName } of field)
        if (typeName !== '') expect(types, `${name}.${of}`).toContain(typeName)
    }
  }
})

test('the entries of a map are named as the compiler names them', () => {
  const health = files.find(file => file.package === 'grpc.health.v1')!
  const list = health.messageType.find(({ name }) => name === 'HealthListResponse')!
  expect(list.nestedType.map(({ name, options }) => [name, options?.mapEntry])).toEqual([['StatusesEntry', true]])
  expect(list.field[0]?.typeName).toBe('.grpc.health.v1.HealthListResponse.StatusesEntry')
})
