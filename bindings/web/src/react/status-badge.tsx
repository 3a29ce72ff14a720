import type { HTMLAttributes, ReactElement } from "react";
import { badgeOf, statusOf, WORDS, type Shown, type Words } from "./looks.js";

type Attributes = Omit<HTMLAttributes<HTMLSpanElement>, "children" | "role" | "resource">;

export interface ResourceStatusBadgeProps extends Shown, Attributes {
  /** Whether the percentage is shown, where one is known. Default true. */
  readonly showProgress?: boolean;
  readonly words?: Partial<Words>;
}

/**
 * What goes on with a row, as a badge: a spinner, a check or a cross, words, the percentage (0 too) and the attempts.
 * Nothing while nothing goes on.
 *
 * Without the stylesheet it is plain text. For your own: classes `rc-badge`, `rc-icon`, `rc-badge-label`,
 * `rc-badge-progress` and `rc-badge-retry`; `data-variant`, `data-status` and `data-icon`.
 */
export function ResourceStatusBadge(props: ResourceStatusBadgeProps): ReactElement | null {
  const { row, resource, labels, showProgress = true, words, className, ...rest } = props;
  const shown = { row, resource, labels };
  const badge = badgeOf(shown);
  if (badge === undefined) return null;
  const { percent, failedAttempts } = { ...WORDS, ...words };
  const count = badge.retry?.join("/") ?? "";
  return (
    <span
      {...rest}
      role="status"
      aria-live="polite"
      className={classes("rc-badge", className)}
      data-variant={badge.variant}
      data-status={statusOf(shown)}
    >
      <span className="rc-icon" data-icon={badge.icon} data-animate={badge.animate} aria-hidden="true" />
      <span className="rc-badge-label">{badge.label}</span>
      {showProgress && badge.progress !== null && (
        <span className="rc-badge-progress"> ({percent(badge.progress)})</span>
      )}
      {/* A message such as "Retry 1/3..." has it already. */}
      {badge.retry !== null && !badge.label.includes(count) && (
        <span className="rc-badge-retry" role="img" aria-label={failedAttempts(...badge.retry)}>
          {" "}
          ({count})
        </span>
      )}
    </span>
  );
}

/** Class names, one behind the other. */
export function classes(own: string, more: string | undefined): string {
  return more === undefined || more === "" ? own : `${own} ${more}`;
}
