/**
 * The lint plugin that keeps the house in order: imports go one way, foreign
 * memory stays in one room, each package has one door, pure rooms stay pure.
 *
 * The rules only find nodes; what is allowed is decided by the pure functions
 * beside this file, from the tables in `rooms.ts`.
 *
 * @module
 */

import { effectProblem, foreignProblem, WATCHED_GLOBALS } from "./global_problem.ts";
import { type GlobalUse, globalUses, isBinding } from "./global_uses.ts";
import { ignoreProblem } from "./ignore_problem.ts";
import { doorProblem, isRelative, layerProblem } from "./import_problem.ts";
import { roomOf } from "./rooms.ts";

/** The root of the tree: three folders above this one. */
const ROOT = new URL("../../../", import.meta.url).pathname;

/** Yields the rules for the tree that lies in the folder `rootPath`, which ends with a slash. */
export function createPlugin(rootPath: string): Deno.lint.Plugin {
  const pathOf = (ctx: Deno.lint.RuleContext) =>
    ctx.filename.startsWith(rootPath) ? ctx.filename.slice(rootPath.length) : undefined;
  return {
    name: "podtrace",
    rules: {
      "layers": layersRule(pathOf),
      "doors": importRule(
        (path, specifier) => isRelative(specifier) ? undefined : doorProblem(path, specifier),
        pathOf,
      ),
      "foreign-memory": globalsRule(foreignProblem, pathOf),
      "effects": globalsRule(effectProblem, pathOf),
      "no-default-export": defaultExportRule(),
      "ignore-reason": ignoreReasonRule(),
    },
  };
}

// deno-lint-ignore podtrace/no-default-export -- Deno takes a lint plugin from its default export
export default createPlugin(ROOT);

type PathOf = (ctx: Deno.lint.RuleContext) => string | undefined;

function layersRule(pathOf: PathOf): Deno.lint.Rule {
  const imports = importRule(
    (path, specifier) => isRelative(specifier) ? layerProblem(path, specifier) : undefined,
    pathOf,
  );
  return {
    create(ctx) {
      const path = pathOf(ctx);
      const isCovered = path === undefined || roomOf(path) !== undefined;
      return {
        ...imports.create(ctx),
        Program(node) {
          if (isCovered) return;
          ctx.report({ node, message: `Cannot place ${path}: no room of cmd/dev/lint/rooms.ts covers it` });
        },
      };
    },
  };
}

/** Calls `problemOf` for every specifier, in whatever statement, expression or type it stands. */
function importRule(
  problemOf: (path: string, specifier: string) => string | undefined,
  pathOf: PathOf,
): Deno.lint.Rule {
  return {
    create(ctx) {
      const path = pathOf(ctx);
      if (path === undefined) return {};
      const judge = (node: Deno.lint.Node, specifier: string) => {
        const message = problemOf(path, specifier);
        if (message !== undefined) ctx.report({ node, message });
      };
      return {
        ImportDeclaration: (node) => judge(node, node.source.value),
        ExportAllDeclaration: (node) => judge(node, node.source.value),
        ExportNamedDeclaration: (node) => node.source === null ? undefined : judge(node, node.source.value),
        TSExternalModuleReference: (node) => judge(node, node.expression.value),
        TSImportType: (node) => judge(node, literalText(node.argument) ?? "*"),
        ImportExpression: (node) => judge(node, literalText(node.source) ?? "*"),
      };
    },
  };
}

function globalsRule(problemOf: (path: string, use: GlobalUse) => string | undefined, pathOf: PathOf): Deno.lint.Rule {
  return {
    create(ctx) {
      const path = pathOf(ctx);
      if (path === undefined) return {};
      const hidden = new Set<string>();
      // By place: the name of a shorthand property is visited as its key and as its value.
      const found = new Map<string, GlobalUse>();
      return {
        Identifier(node) {
          if (!WATCHED_GLOBALS.has(node.name)) return;
          // Nobody needs a variable called Deno, so that name never hides anything.
          if (isBinding(node) && node.name !== "Deno") hidden.add(node.name);
          for (const use of globalUses(node)) found.set(`${node.range[0]} ${use.path.join(".")}`, use);
        },
        "Program:exit"() {
          for (const use of found.values()) {
            const message = hidden.has(nameOf(use.node)) ? undefined : problemOf(path, use);
            if (message !== undefined) ctx.report({ node: use.node, message });
          }
        },
      };
    },
  };
}

function defaultExportRule(): Deno.lint.Rule {
  const message = "Cannot export a default: give it a name, so that it is called the same everywhere";
  return {
    create: (ctx) => ({
      ExportDefaultDeclaration: (node) => ctx.report({ node, message }),
      ExportSpecifier(node) {
        if (node.exported.type === "Identifier" && node.exported.name === "default") ctx.report({ node, message });
      },
    }),
  };
}

function ignoreReasonRule(): Deno.lint.Rule {
  return {
    create: (ctx) => ({
      Program() {
        for (const comment of ctx.sourceCode.getAllComments()) {
          const message = ignoreProblem(comment.value);
          if (message !== undefined) ctx.report({ range: comment.range, message });
        }
      },
    }),
  };
}

function literalText(node: Deno.lint.Node): string | undefined {
  if (node.type === "TSLiteralType") return literalText(node.literal);
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

function nameOf(node: Deno.lint.Node): string {
  return node.type === "Identifier" ? node.name : "";
}
