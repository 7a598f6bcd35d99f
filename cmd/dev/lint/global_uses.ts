/**
 * Finds where a file uses a global, however it is spelled: as a member, by
 * destructuring, through `globalThis`, with an index, behind a cast, or as a
 * type.
 *
 * @module
 */

/** One use of a global. */
export interface GlobalUse {
  /** `["Deno", "env", "get"]`; `*` stands for a name that cannot be read from the source. */
  readonly path: readonly string[];
  readonly node: Deno.lint.Node;
  /** `new Date()` and `Date()` read the clock, `new Date(ms)` does not. */
  readonly call: "none" | "without_arguments" | "with_arguments";
  /** Whether the use stands in a type and is gone at run time. */
  readonly isType: boolean;
}

const GLOBAL_OBJECTS: ReadonlySet<string> = new Set(["globalThis", "self", "window"]);

/** Wrappers that leave the value they hold unchanged. */
const TRANSPARENT: ReadonlySet<string> = new Set([
  "ChainExpression",
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
  "TSTypeAssertion",
]);

/**
 * Yields every use that begins at `identifier`; empty where it is no reference
 * (a property name, a binding, a label). Destructuring gives one use per name.
 */
export function globalUses(identifier: Deno.lint.Identifier): readonly GlobalUse[] {
  if (!isReference(identifier)) return [];
  const climbed = climb(identifier);
  const isType = climbed.isType || isTypePosition(climbed.node);
  const base = { node: identifier, call: callOf(climbed.node), isType };
  return destructuredPaths(climbed.node, climbed.path).flatMap((path) => {
    const rooted = withoutGlobalObject(path);
    return rooted.length === 0 ? [] : [{ ...base, path: rooted }];
  });
}

interface Climbed {
  readonly node: Deno.lint.Node;
  readonly path: readonly string[];
  readonly isType: boolean;
}

/** Follows `a.b["c"]` and `A.B` outwards from its first name. */
function climb(identifier: Deno.lint.Identifier): Climbed {
  let node: Deno.lint.Node = identifier;
  let isType = false;
  const path = [identifier.name];
  for (let parent = parentOf(node); parent !== undefined; parent = parentOf(node)) {
    if (parent.type === "MemberExpression" && isSame(parent.object, node)) {
      path.push(memberName(parent));
    } else if (parent.type === "TSQualifiedName" && isSame(parent.left, node)) {
      path.push(parent.right.name);
      isType = true;
    } else if (!TRANSPARENT.has(parent.type)) {
      break;
    }
    node = parent;
  }
  return { node, path, isType };
}

function memberName(member: Deno.lint.MemberExpression): string {
  if (!member.computed) return member.property.type === "Identifier" ? member.property.name : "*";
  return member.property.type === "Literal" ? String(member.property.value) : "*";
}

/** Yields `path` itself, or one path per name where the value is taken apart. */
function destructuredPaths(node: Deno.lint.Node, path: readonly string[]): readonly (readonly string[])[] {
  const parent = parentOf(node);
  if (parent?.type === "VariableDeclarator" && parent.init !== null && isSame(parent.init, node)) {
    return patternPaths(parent.id, path);
  }
  if (
    (parent?.type === "AssignmentExpression" || parent?.type === "AssignmentPattern") && isSame(parent.right, node)
  ) {
    return patternPaths(parent.left, path);
  }
  return [path];
}

function patternPaths(pattern: Deno.lint.Node, path: readonly string[]): readonly (readonly string[])[] {
  if (pattern.type === "AssignmentPattern") return patternPaths(pattern.left, path);
  if (pattern.type !== "ObjectPattern") return [path];
  return pattern.properties.flatMap((property) => {
    if (property.type !== "Property") return [[...path, "*"]];
    return patternPaths(property.value, [...path, keyName(property)]);
  });
}

function keyName(property: Deno.lint.Property): string {
  if (property.key.type === "Literal") return String(property.key.value);
  return property.key.type === "Identifier" && !property.computed ? property.key.name : "*";
}

function withoutGlobalObject(path: readonly string[]): readonly string[] {
  const [first = "", ...rest] = path;
  const isNamed = rest.length > 0 && rest[0] !== "*";
  return GLOBAL_OBJECTS.has(first) && isNamed ? withoutGlobalObject(rest) : path;
}

function callOf(node: Deno.lint.Node): GlobalUse["call"] {
  const parent = parentOf(node);
  const isCall = parent?.type === "NewExpression" || parent?.type === "CallExpression";
  if (!isCall || !isSame(parent.callee, node)) return "none";
  return parent.arguments.length === 0 ? "without_arguments" : "with_arguments";
}

function isTypePosition(node: Deno.lint.Node): boolean {
  const parent = parentOf(node);
  return parent?.type === "TSTypeReference" || parent?.type === "TSTypeQuery" || parent?.type === "TSInterfaceHeritage";
}

/**
 * Yields whether `identifier` gives a name to something of the file's own
 * (a variable, a parameter, an import), which then hides the global.
 */
export function isBinding(identifier: Deno.lint.Identifier): boolean {
  const parent = parentOf(identifier);
  switch (parent?.type) {
    case "Property":
      return parentOf(parent)?.type === "ObjectPattern" && isSame(parent.value, identifier);
    case "VariableDeclarator":
      return isSame(parent.id, identifier);
    case "AssignmentPattern":
      return isSame(parent.left, identifier);
    case "ArrowFunctionExpression":
      return !isSame(parent.body, identifier);
    default:
      return parent !== undefined && BINDING_PARENTS.has(parent.type);
  }
}

const BINDING_PARENTS: ReadonlySet<string> = new Set([
  "ArrayPattern",
  "CatchClause",
  "ClassDeclaration",
  "FunctionDeclaration",
  "FunctionExpression",
  "ImportDefaultSpecifier",
  "ImportNamespaceSpecifier",
  "ImportSpecifier",
  "RestElement",
  "TSParameterProperty",
]);

/** Parents of which every plain identifier is a name being given, never a value being read. */
const NAMING_PARENTS: ReadonlySet<string> = new Set([
  ...BINDING_PARENTS,
  "ClassExpression",
  "ExportSpecifier",
  "LabeledStatement",
  "TSCallSignatureDeclaration",
  "TSConstructSignatureDeclaration",
  "TSConstructorType",
  "TSDeclareFunction",
  "TSEmptyBodyFunctionExpression",
  "TSEnumMember",
  "TSFunctionType",
  "TSInterfaceDeclaration",
  "TSNamedTupleMember",
  "TSTypeAliasDeclaration",
  "TSTypeParameter",
  "TSTypePredicate",
]);

/** Positions in which an identifier is a value or a type being read, not a name being given or matched. */
function isReference(identifier: Deno.lint.Identifier): boolean {
  if (isBinding(identifier)) return false;
  const parent = parentOf(identifier);
  switch (parent?.type) {
    case "MemberExpression":
      return parent.computed || isSame(parent.object, identifier);
    case "TSQualifiedName":
      return isSame(parent.left, identifier);
    case "Property":
      return isSame(parent.value, identifier) || parent.computed;
    case "MethodDefinition":
    case "PropertyDefinition":
      return parent.computed || !isSame(parent.key, identifier);
    case "TSPropertySignature":
    case "TSMethodSignature":
      return parent.computed && isSame(parent.key, identifier);
    default:
      return parent === undefined || !NAMING_PARENTS.has(parent.type);
  }
}

function parentOf(node: Deno.lint.Node): Deno.lint.Node | undefined {
  const parent = "parent" in node ? node.parent : undefined;
  // The declared type of `parent` names one node that the union of all nodes forgot.
  return parent as Deno.lint.Node | undefined;
}

/** The lint AST may hand out one node as two objects, so nodes are compared by what they cover. */
function isSame(a: Deno.lint.Node | null, b: Deno.lint.Node): boolean {
  return a !== null && a.type === b.type && a.range[0] === b.range[0] && a.range[1] === b.range[1];
}
