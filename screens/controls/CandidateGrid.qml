pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow

// All candidates, a page at a time, in place of the keys.
RowLayout {
    id: grid

    spacing: 16

    Flow {
        Layout.fillWidth: true
        Layout.fillHeight: true
        spacing: 8

        Repeater {
            model: Keyboard.grid

            Candidate {
                height: Math.min(92, (grid.height - 24) / 4)
                first: false
            }
        }
    }

    ColumnLayout {
        Layout.fillWidth: false
        Layout.preferredWidth: 110
        Layout.fillHeight: true
        spacing: 12

        TurnButton {
            symbol: "chevron-up"
            text: qsTr("上翻")
            enabled: Keyboard.gridBefore
            Accessible.description: qsTr("候选")
            onClicked: Keyboard.turn(-1)
        }

        TurnButton {
            symbol: "chevron-down"
            text: qsTr("下翻")
            enabled: Keyboard.gridAfter
            Accessible.description: qsTr("候选")
            onClicked: Keyboard.turn(1)
        }
    }
}
