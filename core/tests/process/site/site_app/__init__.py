"""An installed app with native handlers."""
