import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    readonly property string phase: PrintModel.phase
    readonly property bool busy: phase === "fetching" || phase === "printing"

    title: PrintModel.title
    showExit: !busy && phase !== "done"
    showHome: !busy
    primaryText: busy ? "" : phase === "done" ? qsTr("完成") : phase === "unproven" ? qsTr("拿到了") : qsTr("再打一次")
    primarySymbol: phase === "done" || phase === "unproven" ? "check" : "printer"
    onPrimary: phase === "done" ? Chrome.finish() : phase === "unproven" ? PrintModel.paperTaken() : PrintModel.printAgain()

    Item {
        Layout.preferredHeight: Theme.portrait ? 100 : 0
    }

    PaperHint {
        Layout.alignment: Qt.AlignHCenter
        phase: page.phase
    }

    Label {
        Layout.fillWidth: true
        horizontalAlignment: Text.AlignHCenter
        text: PrintModel.notice.present ? PrintModel.notice.title : PrintModel.words
        font.pixelSize: Theme.tile
        strong: true
        color: page.phase === "done" ? Theme.ok : page.busy ? Theme.ink : Theme.warn
    }

    Label {
        Layout.fillWidth: true
        visible: text !== ""
        horizontalAlignment: Text.AlignHCenter
        text: PrintModel.notice.text
    }

    Label {
        Layout.fillWidth: true
        visible: text !== ""
        horizontalAlignment: Text.AlignHCenter
        text: PrintModel.pages
        color: Theme.inkSoft
    }

    Busy {
        Layout.alignment: Qt.AlignHCenter
        visible: page.busy
    }

    PushButton {
        Layout.alignment: Qt.AlignHCenter
        Layout.preferredWidth: 420
        visible: page.phase === "unproven"
        symbol: "printer"
        text: qsTr("再打一次")
        onClicked: PrintModel.printAgain()
    }
}
