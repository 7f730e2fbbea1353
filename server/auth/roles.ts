/** What an operation asks for: to look, to move freight, to change what is declared, to run the installation. */
export const permissions = ["view", "promote", "edit", "administer"] as const;
export type Permission = (typeof permissions)[number];

/** Kargo's roles, and what each may do; in one project when whoever has it is bound to one. */
export const roles = {
  "kargo-viewer": ["view"],
  "kargo-promoter": ["view", "promote"],
  "kargo-admin": ["view", "promote", "edit", "administer"],
} as const satisfies Record<string, readonly Permission[]>;
export type Role = keyof typeof roles;
